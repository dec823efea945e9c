"""Agents by name: the ready ones, the missions, the examples, and those of other packages as `module:attribute`."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pkgutil import iter_modules

from loom.agents import library, missions
from loom.agents.agent import Agent
from loom.agents.example import Example
from loom.agents.missions.fetch_report import Say
from loom.core.errors import ConfigError, nearest


def crew(names: Iterable[str], wanted_mission: str, say: Say | None) -> list[Agent]:
    """The named agents and all missions, none without `say`; ConfigError where one, or the wanted one, is not there."""
    if say is None:
        if wanted_mission:
            raise ConfigError(f'mission {wanted_mission!r} needs a host with missions: true')
        return [agent(name) for name in names]
    if wanted_mission:
        mission(wanted_mission, say)
    return [*(agent(name) for name in names), *(mission(name, say) for name in mission_names())]


def agent(name: str) -> Agent:
    """The agent that a name stands for: `navigator`, or `my_package.guard:guard`; ConfigError where none does."""
    module, _, attribute = name.partition(':')
    if not attribute:
        known = [m.name for m in iter_modules(library.__path__)]
        if name not in known:
            raise ConfigError(f'no agent named {name!r}{nearest(name, known)}; or give module:attribute')
        module, attribute = f'{library.__name__}.{name}', name
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f'agent {name!r} can not be loaded: {error}') from error
    if isinstance(found, Example):
        raise ConfigError(f'{name!r} is an example of several agents; start it with: loom run {name}')
    if not isinstance(found, Agent):
        raise ConfigError(f'{name!r} must be a loom.Agent, got {type(found).__name__}')
    return found


def mission(name: str, say: Say) -> Agent:
    """The agent of a mission; `say` speaks as the person, DeviceError from it means that a real one is there."""
    if name not in mission_names():
        raise ConfigError(f'no mission named {name!r}{nearest(name, mission_names())}')
    made: Agent = importlib.import_module(f'{missions.__name__}.{name}').mission(say)
    return made


def mission_names() -> list[str]:
    """The missions there are."""
    return [m.name for m in iter_modules(missions.__path__)]


def example(name: str) -> Example | None:
    """The example of this name, None where it is none."""
    if name not in (m.name for m in iter_modules(library.__path__)):
        return None
    found = getattr(importlib.import_module(f'{library.__name__}.{name}'), name)
    return found if isinstance(found, Example) else None
