"""A bounded queue between the bus's thread and the agents' loop; the oldest goes when it is full."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass

from loom.core.event import Event


@dataclass(frozen=True)
class Letter:
    """An event that waits, with the pattern that selected it; an empty pattern: it came to the inbox."""

    event: Event
    pattern: str = ''


class Mailbox:
    """Letters that wait for one agent; put() from any thread, take() on the loop."""

    def __init__(self, size: int, loop: asyncio.AbstractEventLoop) -> None:
        self.dropped = 0
        self._letters: deque[Letter] = deque()
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
            if len(self._letters) >= self._size:
                self._letters.popleft()
                self.dropped += 1
            self._letters.append(letter)
            signal, self._signalled = not self._signalled, True
        if signal and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ready.set)

    async def take(self) -> Letter:
        """The oldest letter, as soon as there is one."""
        while True:
            with self._lock:
                if self._letters:
                    return self._letters.popleft()
                self._signalled = False
                self._ready.clear()
            await self._ready.wait()
