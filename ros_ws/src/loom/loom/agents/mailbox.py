"""A bounded queue between the bus's thread and the agents' loop.

When it is full the oldest goes, but for letters of a subscription that waits for credit: that one is paused instead.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass

from loom.core.bus import Subscription
from loom.core.event import Event


@dataclass(frozen=True)
class Letter:
    """An event that waits, with the pattern that selected it; an empty pattern: it came to the inbox."""

    event: Event
    pattern: str = ''
    patient: Subscription | None = None


class Mailbox:
    """Letters that wait for one agent; put() from any thread, take() on the loop."""

    def __init__(self, size: int, loop: asyncio.AbstractEventLoop) -> None:
        self.dropped = 0
        self._letters: deque[Letter] = deque()
        self._paused: set[Subscription] = set()
        self._size = size
        self._loop = loop
        self._lock = threading.Lock()
        self._ready = asyncio.Event()
        self._signalled = False

    def __len__(self) -> int:
        return len(self._letters)

    def put(self, letter: Letter) -> None:
        """Adds a letter and wakes the loop once for all that wait."""
        with self._lock:
            self._letters.append(letter)
            if len(self._letters) >= self._size and letter.patient is not None:
                letter.patient.pause()
                self._paused.add(letter.patient)
            elif len(self._letters) > self._size:
                self._drop_oldest()
            signal, self._signalled = not self._signalled, True
        if signal and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ready.set)

    async def take(self) -> Letter:
        """The oldest letter, as soon as there is one."""
        while True:
            with self._lock:
                letter = self._letters.popleft() if self._letters else None
                if letter is None:
                    self._signalled = False
                    self._ready.clear()
                half_empty = len(self._letters) <= self._size // 2
                resumed, self._paused = (self._paused, set()) if half_empty else (set(), self._paused)
            for subscription in resumed:
                subscription.resume()
            if letter is not None:
                return letter
            await self._ready.wait()

    def discard(self, event_id: str) -> bool:
        """Takes out the letter with this event; False where none waits."""
        with self._lock:
            for place, letter in enumerate(self._letters):
                if letter.event.id == event_id:
                    del self._letters[place]
                    return True
        return False

    def _drop_oldest(self) -> None:
        for place, letter in enumerate(self._letters):
            if letter.patient is None:
                del self._letters[place]
                self.dropped += 1
                return
