"""How fast a stream comes, and how much of it is enough."""

from __future__ import annotations

import time

from loom.core.clock import NANOSECONDS


class Pace:
    """Thins a stream to `rate_hz` and measures how fast it comes; one thread."""

    def __init__(self, rate_hz: float) -> None:
        self._period_ns = round(NANOSECONDS / rate_hz)
        self._last_ns = -self._period_ns
        self._arrived = 0
        self.measured_hz = 0.0
        self._counted_s = time.monotonic()

    def arrived(self) -> None:
        """One more has come."""
        self._arrived += 1

    def due(self, stamp_ns: int) -> bool:
        """Whether the one of this stamp is to be used; also after the clock went back."""
        passed_ns = stamp_ns - self._last_ns
        if 0 <= passed_ns < 0.9 * self._period_ns:
            return False
        self._last_ns = stamp_ns
        return True

    def count(self) -> None:
        """Measures the rate since the last call."""
        now_s = time.monotonic()
        self.measured_hz = self._arrived / max(1e-3, now_s - self._counted_s)
        self._arrived, self._counted_s = 0, now_s
