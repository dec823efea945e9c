"""Whether a loop still answers, seen from another thread."""

from __future__ import annotations

import asyncio
import time

HANG_S = 0.8


class Pulse:
    """Asks a loop for a sign each time that it is looked at; only one question is on its way."""

    def __init__(self, loop: asyncio.AbstractEventLoop, hang_s: float = HANG_S) -> None:
        self._loop, self._hang_s = loop, hang_s
        self._asked_s: float | None = None

    def fault(self) -> str:
        """Why the loop counts as hung; empty while it answers."""
        now_s, asked_s = time.monotonic(), self._asked_s
        if asked_s is None:
            self._asked_s = now_s
            try:
                self._loop.call_soon_threadsafe(self._answered)
            except RuntimeError:
                return "the agents' loop has ended"
            return ''
        silent_s = now_s - asked_s
        return '' if silent_s < self._hang_s else f"the agents' loop has not answered for {silent_s:.1f} s"

    def _answered(self) -> None:
        self._asked_s = None
