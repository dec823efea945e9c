"""Where time comes from: injected, so that simulation, replay and tests can set it."""

from __future__ import annotations

import time
from typing import Protocol

NANOSECONDS = 1_000_000_000
# Nanoseconds since 1970 by the computer's wall clock, which all processes of a host share: for spans and latencies.
wall_ns = time.time_ns


class Clock(Protocol):
    """A source of the current time."""

    def now_ns(self) -> int:
        """Nanoseconds since the clock's epoch."""
        ...


class SystemClock:
    """The computer's wall clock."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970."""
        return time.time_ns()


class ManualClock:
    """A clock that moves only when told to."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """Nanoseconds since the start that was given."""
        return self._now_ns

    def advance(self, seconds: float) -> None:
        """Moves time forward by `seconds`."""
        self._now_ns += round(seconds * NANOSECONDS)
