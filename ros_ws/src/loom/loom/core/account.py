"""The books of a subscription: what was offered, and what became of each."""

from __future__ import annotations

from collections import Counter, deque

SAMPLES = 256


class Account:
    """Counts so that offered = delivered + expired + queued + all that was dropped, at any moment."""

    def __init__(self, topic: str, delivery: str) -> None:
        self.topic = topic
        self.delivery = delivery
        self.offered = 0
        self.delivered = 0
        self.expired = 0
        self.failed = 0
        self.dropped: Counter[str] = Counter()
        self.waits_ns: deque[int] = deque(maxlen=SAMPLES)

    def drop(self, reason: str, number: int = 1) -> None:
        """Events that were offered and are not delivered."""
        self.dropped[reason] += number

    def missed(self, reason: str, number: int) -> None:
        """Events that never came, or came again: they count as offered and dropped at once."""
        if number:
            self.offered += number
            self.dropped[reason] += number

    def unexplained(self, queued: int) -> int:
        """What does not balance while `queued` events wait; 0 unless the books are wrong."""
        return self.offered - self.delivered - self.expired - queued - sum(self.dropped.values())

    def counts(self) -> Counter[str]:
        """All of it by reason; `delivered` are those whose handler did not fail."""
        total = Counter(self.dropped)
        total.update(delivered=self.delivered - self.failed, expired=self.expired, failed=self.failed)
        return +total

    def waited_ms(self) -> tuple[float, float]:
        """(median, 99th percentile) of the time the latest events waited, in milliseconds."""
        waits = sorted(self.waits_ns)
        if not waits:
            return 0.0, 0.0
        return waits[len(waits) // 2] / 1e6, waits[min(len(waits) * 99 // 100, len(waits) - 1)] / 1e6
