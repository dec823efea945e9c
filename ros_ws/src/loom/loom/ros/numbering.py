"""Numbers on events, because DDS loses in silence and repeats to those who come back."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Iterator

from loom_msgs.msg import Event as EventMessage

MAX_WRITERS = 64


class Numbering:
    """Numbers what one bus writes, topic by topic."""

    def __init__(self) -> None:
        self._writer = random.SystemRandom().getrandbits(63) + 1
        self._next: defaultdict[str, Iterator[int]] = defaultdict(itertools.count)

    def mark(self, topic: str, message: EventMessage) -> EventMessage:
        """The message with its number."""
        message.writer, message.sequence = self._writer, next(self._next[topic])
        return message


class Progress:
    """How far a reader has come with each writer of a topic."""

    def __init__(self, heard: dict[int, int]) -> None:
        self.heard = dict(heard)

    def step(self, message: EventMessage) -> int:
        """How many were lost before this message; -1 where it was heard before."""
        last = self.heard.get(message.writer)
        if last is not None and message.writer and message.sequence <= last:
            return -1
        self.heard.pop(message.writer, None)
        self.heard[message.writer] = message.sequence
        if len(self.heard) > MAX_WRITERS:
            del self.heard[next(iter(self.heard))]
        return message.sequence - last - 1 if last is not None and message.writer else 0
