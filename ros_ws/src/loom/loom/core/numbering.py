"""Numbers on events, because DDS loses in silence and repeats to those who come back."""

from __future__ import annotations

import random
from collections import defaultdict

MAX_WRITERS = 256


class Numbering:
    """Numbers what one bus writes, topic by topic."""

    def __init__(self) -> None:
        self.writer = random.SystemRandom().getrandbits(63) + 1
        self._next: defaultdict[str, int] = defaultdict(int)

    def next(self, topic: str) -> int:
        """The number of the next event on a topic."""
        return self._next[topic]

    def sent(self, topic: str) -> None:
        """It went out with that number; one that did not leaves no gap."""
        self._next[topic] += 1


class Progress:
    """How far a reader has come with each writer of a topic; a writer 0 gives no numbers."""

    def __init__(self, heard: dict[int, int] | None = None) -> None:
        self.heard = dict(heard or {})

    def step(self, writer: int, sequence: int) -> int:
        """How many were lost before this event; -1 where it was heard before."""
        if not writer:
            return 0
        last = self.heard.get(writer)
        if last is None:
            if len(self.heard) >= MAX_WRITERS:
                del self.heard[next(iter(self.heard))]
            self.heard[writer] = sequence
            return 0
        if sequence <= last:
            return -1
        self.heard[writer] = sequence
        return sequence - last - 1

    def missing(self, writer: int, published: int) -> int:
        """How many events of a writer that published so many can no longer come; they count as passed from now on."""
        last = self.heard.get(writer)
        if last is None or published <= last + 1:
            return 0
        self.heard[writer] = published - 1
        return published - 1 - last
