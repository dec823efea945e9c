"""Who has the name of an agent: of two that run under one name, the younger gives way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loom.core.clock import wall_ns
from loom.core.event import new_id

CLAIM = 'agent.claim'


class Claim:
    """One agent's claim to its name; `send(data)` shows it to all who have the name, this one too.

    Ages are compared by the wall clock of their beginnings, which no delay on the way changes: exactly one stays, and
    where the clocks of two hosts differ it is at worst the younger.
    """

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._id = new_id()
        self._since_ns = wall_ns()

    def make(self) -> None:
        """Asks whether somebody else has the name."""
        self._send({'id': self._id, 'since_ns': self._since_ns})

    def contested(self, other: dict[str, Any]) -> bool:
        """Whether an older one has the name; a younger one is told that it is taken."""
        if other['id'] == self._id:
            return False
        if (other['since_ns'], other['id']) < (self._since_ns, self._id):
            return True
        if not other.get('answer'):
            self._send({'id': self._id, 'since_ns': self._since_ns, 'answer': True})
        return False
