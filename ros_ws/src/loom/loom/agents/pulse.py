"""Whether a loop still runs, seen from another thread."""

from __future__ import annotations

import asyncio
import time

HANG_S = 0.9
BEAT_S = 0.2
# Whoever did not look for longer may have stood still together with the loop.
AWAY_S = 0.5


class Pulse:
    """The loop leaves a sign five times a second; who looks less often than every AWAY_S learns nothing."""

    def __init__(self, loop: asyncio.AbstractEventLoop, hang_s: float = HANG_S) -> None:
        self._loop, self._hang_s = loop, hang_s
        self._signed_s = self._looked_s = time.monotonic()
        loop.call_soon_threadsafe(self._sign)

    def fault(self) -> str:
        """Why the loop counts as hung; empty while it runs."""
        now_s = time.monotonic()
        away, self._looked_s = now_s - self._looked_s > AWAY_S, now_s
        if away:
            self._signed_s = now_s
        if self._loop.is_closed():
            return "the agents' loop has ended"
        silent_s = now_s - self._signed_s
        return '' if silent_s < self._hang_s else f"the agents' loop has not answered for {silent_s:.1f} s"

    def _sign(self) -> None:
        self._signed_s = time.monotonic()
        self._loop.call_later(BEAT_S, self._sign)
