"""Loom: the event-driven AI runtime for robots, on ROS 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loom.core.event import Event

if TYPE_CHECKING:
    from loom.agents.agent import Agent
    from loom.agents.context import Context

__all__ = ['Agent', 'Context', 'Event']


def __getattr__(name: str) -> Any:
    # The SDK is loaded on first use: drivers and command line tools start without it.
    if name == 'Agent':
        from loom.agents.agent import Agent
        return Agent
    if name == 'Context':
        from loom.agents.context import Context
        return Context
    raise AttributeError(f'module loom has no attribute {name!r}')
