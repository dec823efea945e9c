"""Credit: a reader says how far each writer may go, so that a slow one makes its sources wait instead of losing.

A writer that no reader has granted anything to sends freely: plain ROS programs grant nothing.
"""

from __future__ import annotations

import random
import time
import zlib
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass

from loom.core.delivery import Delivery
from loom.core.errors import BusyError
from loom.core.event import Event

# Longer than the keeper lets a process be silent that has no processor: who is still there then loses nothing.
LEASE_S = 4.0
RENEW_S = 0.5
# One that is silent for longer has missed a renewal.
LATE_S = 0.75
NUMBER_BITS = 32
FORGET_S = 5.0
MAX_WRITERS = 256
MAX_HELD_BYTES = 8 << 20
ENVELOPE_BYTES = 1000


def tag_of(participant: bytes) -> int:
    """32 bits that name a DDS participant, from the bytes that the ids of its endpoints begin with; 0: unknown."""
    return zlib.crc32(participant) if participant else 0


def reader_of(tag: int, number: int) -> int:
    """What a reader is called in its credit: whose it is, and which."""
    return tag << NUMBER_BITS | number


@dataclass
class _Source:
    """What a reader knows of one writer: the numbers it heard, handled and granted, and when (monotonic seconds)."""

    heard: int
    handled: int
    heard_at: float
    granted: int = 0
    granted_at: float = 0.0


class Grants:
    """The reader's side: what it took of each writer, and what it therefore grants."""

    def __init__(self, delivery: Delivery, clock: Callable[[], float] = time.monotonic) -> None:
        self.number = random.SystemRandom().getrandbits(NUMBER_BITS)
        self.active = delivery.policy == 'credit'
        self._depth = delivery.depth
        self._clock = clock
        self._sources: dict[int, _Source] = {}

    def heard(self, writer: int, sequence: int) -> None:
        """An event of a writer arrived."""
        if not self.active or not writer:
            return
        source = self._sources.get(writer)
        if source is None:
            if len(self._sources) >= MAX_WRITERS:
                del self._sources[next(iter(self._sources))]
            self._sources[writer] = _Source(sequence, sequence - 1, self._clock())
        else:
            source.heard, source.heard_at = sequence, self._clock()

    def consumed(self, writer: int, sequence: int) -> None:
        """An event of a writer was handled."""
        source = self._sources.get(writer)
        if source is not None:
            source.handled = max(source.handled, sequence)

    def due(self) -> list[tuple[int, int]]:
        """(writer, limit) of what should be told now: a quarter of the window has passed, or half a second."""
        now, told = self._clock(), []
        window = max(self._depth // 2 // max(len(self._sources), 1), 4)
        for writer, source in list(self._sources.items()):
            limit = source.handled + 1 + window
            if source.handled >= source.heard and now - source.heard_at > FORGET_S:
                del self._sources[writer]
            elif limit - source.granted >= max(window // 4, 1) or now - source.granted_at >= RENEW_S:
                source.granted, source.granted_at = limit, now
                told.append((writer, limit))
        return told


class Outlet:
    """The writer's side of one topic: sends what its slowest live reader grants, and holds a bounded rest."""

    def __init__(self, topic: str, delivery: Delivery, send: Callable[[Event], int],
                 clock: Callable[[], float] = time.monotonic) -> None:
        self.topic = topic
        self.delivery = delivery
        self.published = 0
        self.refused = 0
        self.held: deque[Event] = deque()
        self._send = send
        self._clock = clock
        self._held_bytes = 0
        self._limits: dict[int, tuple[int, float]] = {}

    def offer(self, event: Event) -> None:
        """Sends an event or holds it; BusyError where too many wait already."""
        if not self.held and self._sent(event):
            return
        size = ENVELOPE_BYTES + len(event.payload)
        if len(self.held) >= self.delivery.depth or self._held_bytes + size > MAX_HELD_BYTES:
            self.refused += 1
            raise BusyError(f'{self.topic}: {len(self.held)} events wait for a slow reader, at most '
                            f'{self.delivery.depth} may; ask room() before publishing, and publish less often')
        self.held.append(event)
        self._held_bytes += size

    def room(self) -> int:
        """How many events can go out now without waiting."""
        return max(self._allowed() - len(self.held), 0)

    def granted(self, reader: int, limit: int, closed: bool) -> None:
        """Notes what a reader grants, and sends what it lets through."""
        if closed:
            self._limits.pop(reader, None)
        else:
            self._limits[reader] = (limit, self._clock())
        self.flush()

    def late(self) -> bool:
        """Whether a reader missed a renewal: it is busy, or gone."""
        return any(heard < self._clock() - LATE_S for _, heard in self._limits.values())

    def forget_absent(self, present: Collection[int]) -> None:
        """Readers that missed a renewal no longer count where their participant is none of those tags."""
        since = self._clock() - LATE_S
        for reader in [reader for reader, (_, heard) in self._limits.items() if heard < since]:
            tag = reader >> NUMBER_BITS
            if tag and tag not in present:
                del self._limits[reader]

    def flush(self) -> None:
        """Sends what was held, as far as the credit goes; readers not heard for LEASE_S no longer count."""
        while self.held and self._sent(self.held[0]):
            self._held_bytes -= ENVELOPE_BYTES + len(self.held.popleft().payload)

    def _sent(self, event: Event) -> bool:
        """Whether it went out: readers grant it, and DDS took it, which on a strained machine it may not do in time."""
        if self._allowed() <= 0:
            return False
        try:
            self.published = self._send(event) + 1
        except BusyError:
            return False
        return True

    def _allowed(self) -> int:
        if not self._limits:
            return self.delivery.depth
        since = self._clock() - LEASE_S
        for reader in [reader for reader, (_, heard) in self._limits.items() if heard < since]:
            del self._limits[reader]
        return min((limit for limit, _ in self._limits.values()), default=self.published + self.delivery.depth
                   ) - self.published
