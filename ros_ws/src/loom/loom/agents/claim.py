"""Who has the name of an agent: of two that run under one name, the younger gives way."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from loom.core.event import new_id

CLAIM = 'agent.claim'


class Claim:
    """One agent's claim to its name; `send(data)` shows it to all who have the name, this one too."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._id = new_id()
        self._since_s = time.monotonic()

    def make(self) -> None:
        """Asks whether somebody else has the name."""
        self._send({'id': self._id, 'age_s': self._age_s()})

    def contested(self, other: dict[str, Any]) -> bool:
        """Whether an older one has the name; a younger one is told that it is taken."""
        if other['id'] == self._id:
            return False
        if (other['age_s'], other['id']) > (self._age_s(), self._id):
            return True
        if not other.get('answer'):
            self._send({'id': self._id, 'age_s': self._age_s(), 'answer': True})
        return False

    def _age_s(self) -> float:
        return time.monotonic() - self._since_s
