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

    def make(self, to: str = '') -> None:
        """Asks whether somebody else has the name, or answers the claim with the id `to`."""
        self._send({'id': self._id, 'since_ns': self._since_ns, 'to': to})

    def contested(self, other: dict[str, Any]) -> bool:
        """Whether an older one has the name; a younger one is told that it is taken.

        What an older one said to all may be all that is left of it: only its answer to this claim shows that it is
        still there, so it is asked once more.
        """
        if other['id'] == self._id or other['to'] not in ('', self._id):
            return False
        older = (other['since_ns'], other['id']) < (self._since_ns, self._id)
        if older and other['to']:
            return True
        if not other['to']:
            self.make('' if older else other['id'])
        return False
