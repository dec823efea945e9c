"""An example: agents that show what they can do together, without a robot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from loom.agents.agent import Agent


@dataclass(frozen=True)
class Example:
    """Agents, the capability that starts them, and how its result reads; `timeout_s` is how long it may take.

    Where it plays in a world, the capability gets the path of that world's file as its argument `world`.
    """

    agents: tuple[Agent, ...]
    capability: str
    arguments: dict[str, Any] = field(default_factory=dict)
    shown: Callable[[Any], str] = str
    timeout_s: float = 60.0
    world: str = ''
