"""Loom: the event-driven AI runtime for robots, on ROS 2."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loom.agents.agent import Agent
    from loom.agents.context import Context
    from loom.agents.local_team import LocalTeam
    from loom.core.event import Event

__all__ = ['Agent', 'Context', 'Event', 'LocalTeam']

_HOMES = {'Agent': 'loom.agents.agent', 'Context': 'loom.agents.context', 'Event': 'loom.core.event',
          'LocalTeam': 'loom.agents.local_team'}


def __getattr__(name: str) -> Any:
    # Loaded on first use: launch files and command line tools start without the SDK.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f'module loom has no attribute {name!r}')
