"""What the keeper says of the whole robot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from loom.supervise.roster import SUPERVISOR, UNKNOWN, Roster

OK, DEGRADED, DOWN = 0, 1, 2
# The keeper reports when something changes, and so often.
REPORT_S = 1.0


def given_up(roster: Roster) -> list[str]:
    """The nodes that stay down."""
    return [node for node, entry in roster.entries.items() if entry.given_up]


def missing(roster: Roster, nodes: Iterable[str]) -> list[str]:
    """Of each of the nodes that is not where it is to be, its state and why."""
    entries = {node: roster.entries[node] for node in nodes}
    return [f'{node} is {entry.state}{": " * bool(entry.reason)}{entry.reason}'
            for node, entry in entries.items() if entry.state != roster.target(node) or entry.given_up]


def report(roster: Roster, mode: str, because: str, restarts: Mapping[str, int]) -> dict[str, Any]:
    """Mode, level, states, reasons, restarts and what was given up; the supervisor, who reads it, left out."""
    others = {node: entry for node, entry in roster.entries.items() if node != SUPERVISOR}
    wrong = missing(roster, others)
    level = DOWN if mode == 'safe' else DEGRADED if wrong or mode != 'active' else OK
    if mode == 'active' and any(entry.state == UNKNOWN and not entry.given_up for entry in others.values()):
        level = DOWN
    return {'mode': mode, 'states': {node: entry.state for node, entry in others.items()}, 'level': level,
            'message': because or '; '.join(wrong), 'restarts': dict(restarts), 'given_up': given_up(roster)}


def unheard(report: Mapping[str, Any], silent_s: float) -> dict[str, Any]:
    """What is known after a keeper, whose last report this was, has been silent: nothing."""
    return {**report, 'mode': UNKNOWN, 'states': dict.fromkeys(report['states'], UNKNOWN), 'level': DOWN,
            'message': f'the keeper has said nothing for {silent_s:g} s: nobody watches over the nodes'}
