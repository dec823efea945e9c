"""When to try a lost device again: exponential back-off with a limit."""

from __future__ import annotations

from dataclasses import dataclass

from loom.core.clock import NANOSECONDS


@dataclass
class Backoff:
    """Waits `first_s` after the first failure and twice as long after each next one, at most `limit_s`."""

    first_s: float = 0.2
    limit_s: float = 10.0
    failures: int = 0
    next_ns: int = 0

    def due(self, now_ns: int) -> bool:
        """Whether it is time to try."""
        return now_ns >= self.next_ns

    def wait_s(self) -> float:
        """Seconds to wait after the failures so far; 0 where there were none."""
        if not self.failures:
            return 0.0
        return min(self.limit_s, self.first_s * 2.0 ** min(self.failures - 1, 60))

    def failed(self, now_ns: int) -> float:
        """Counts a failure at `now_ns`; returns the seconds until the next try."""
        self.failures += 1
        self.next_ns = now_ns + round(self.wait_s() * NANOSECONDS)
        return self.wait_s()

    def succeeded(self) -> None:
        """Forgets the failures: the device is back."""
        self.failures = 0
        self.next_ns = 0
