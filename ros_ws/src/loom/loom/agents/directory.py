"""Who is there and what each can do, as plain values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from loom.act.capability import Capability


@dataclass(frozen=True)
class AgentCard:
    """One agent: what it listens to and what it can do; `state` is active or inactive."""

    id: str
    state: str = 'active'
    listens: tuple[str, ...] = ()
    capabilities: tuple[Capability, ...] = ()


def capabilities(cards: Iterable[AgentCard]) -> dict[str, Capability]:
    """All capabilities of the active agents by name; the first agent to offer a name has it."""
    found: dict[str, Capability] = {}
    for card in cards:
        for capability in card.capabilities if card.state == 'active' else ():
            found.setdefault(capability.name, capability)
    return found
