"""The settings of an agent: its own defaults, then what its host was told, then the environment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from loom.agents.agent import Agent
from loom.core.config import load
from loom.core.errors import ConfigError, nearest


def configured(agent: Agent, given: Mapping[str, str], environment: Mapping[str, str]) -> BaseModel | None:
    """The settings of an agent; ConfigError names each bad one, its value and the rule.

    `given` has `<agent>.<field>`, the environment `LOOM_AGENT_<AGENT>_<FIELD>`; lists and objects are JSON.
    """
    own = {key.partition('.')[2]: text for key, text in given.items() if key.partition('.')[0] == agent.name}
    if agent.config is None:
        if own:
            raise ConfigError(f'agent {agent.name!r} has no settings, got {sorted(own)}')
        return None
    fields = type(agent.config).model_fields
    for name in own:
        if name not in fields:
            raise ConfigError(f'agent {agent.name!r} has no setting named {name!r}{nearest(name, list(fields))}')
    variables = {name: f'LOOM_AGENT_{agent.name}_{name}'.upper() for name in fields}
    changes = {**own, **{name: environment[v] for name, v in variables.items() if v in environment}}
    if not changes:
        return agent.config
    values = {name: getattr(agent.config, name) for name in fields}
    return load(type(agent.config), {**values, **{name: _value(text) for name, text in changes.items()}},
                f'agent {agent.name!r}')


def parsed(assignments: Iterable[str], agents: Iterable[Agent]) -> dict[str, str]:
    """`['guard.rate_hz=2']` as a mapping; ConfigError where one is no assignment, or of an agent that is not there."""
    names, found = [agent.name for agent in agents], dict[str, str]()
    for assignment in assignments:
        key, equals, text = assignment.partition('=')
        name, dot, _ = key.partition('.')
        if not equals or not dot:
            raise ConfigError(f'a setting of an agent must be agent.field=value, got {assignment!r}')
        if name not in names:
            raise ConfigError(f'no agent named {name!r} is here{nearest(name, names)}')
        found[key] = text
    return found


def _value(text: str) -> Any:
    if text[:1] not in ('[', '{'):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise ConfigError(f'a setting that is a list or an object must be JSON, got {text!r}: {error}') from None
