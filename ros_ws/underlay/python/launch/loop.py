"""A small event loop: file descriptors, timers, signals and calls from other threads."""

from __future__ import annotations

import heapq
import itertools
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable


class Timer:
    """A call that is due at a time of the monotonic clock."""

    def __init__(self, due: float, call: Callable[[], None]) -> None:
        """Keep the call."""
        self.due = due
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        """Make sure that the call never happens."""
        self.cancelled = True


class Loop:
    """Waits for what comes first and calls its owner, all on one thread."""

    def __init__(self) -> None:
        """Open the selector and the socket pair that wakes it."""
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._calls: deque[Callable[[], None]] = deque()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._selector.register(self._wake_in, selectors.EVENT_READ, self._woken)
        self.on_signal: Callable[[int], None] | None = None

    @property
    def wakeup_fd(self) -> int:
        """The descriptor for :func:`signal.set_wakeup_fd`."""
        return self._wake_out.fileno()

    @property
    def has_timers(self) -> bool:
        """Whether a timer is still to fire."""
        return any(not timer.cancelled for _, _, timer in self._timers)

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Call after so many seconds, unless cancelled."""
        timer = Timer(time.monotonic() + seconds, call)
        heapq.heappush(self._timers, (timer.due, next(self._order), timer))
        return timer

    def call_soon_threadsafe(self, call: Callable[[], None]) -> None:
        """Call on the loop's thread; may be used from any thread."""
        self._calls.append(call)
        try:
            self._wake_out.send(b'\0')
        except (BlockingIOError, OSError):
            pass

    def watch(self, descriptor: int, call: Callable[[], object]) -> None:
        """Call whenever the descriptor can be read."""
        os.set_blocking(descriptor, False)
        self._selector.register(descriptor, selectors.EVENT_READ, call)

    def unwatch(self, descriptor: int) -> None:
        """Stop watching the descriptor."""
        self._selector.unregister(descriptor)

    def run_once(self, timeout: float | None = None) -> None:
        """Wait for the next thing (at most ``timeout`` seconds) and make all calls that are due."""
        for key, _ in self._selector.select(self._patience(timeout)):
            key.data()
        self._fire()

    def close(self) -> None:
        """Free the descriptors of the loop itself."""
        self._selector.close()
        self._wake_in.close()
        self._wake_out.close()

    def _patience(self, timeout: float | None) -> float | None:
        while self._timers and self._timers[0][2].cancelled:
            heapq.heappop(self._timers)
        if not self._timers:
            return timeout
        left = max(0.0, self._timers[0][0] - time.monotonic())
        return left if timeout is None else min(left, timeout)

    def _fire(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            if not timer.cancelled:
                timer.cancelled = True
                timer.call()

    def _woken(self) -> None:
        try:
            numbers = self._wake_in.recv(4096)
        except BlockingIOError:
            return
        for number in numbers:
            if number and self.on_signal is not None:
                self.on_signal(number)
        while self._calls:
            self._calls.popleft()()
