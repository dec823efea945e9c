"""A process's line to its keeper: it gives signs of life, and hears what it is to do."""

from __future__ import annotations

import itertools
import select
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from loom.core.errors import DeadlineError, LoomError
from loom.supervise.channel import Channel

BEAT_S = 0.1
# The one line of this process; None where no keeper watches it.
_lines: list[Link] = []


class Link:
    """Every method may be called from any thread; `listen` hears from one of its own."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._beat_s = 0.0
        self._said: dict[str, Any] = {}
        self._numbers = itertools.count(1)
        self._answers: dict[int, str | None] = {}
        self._answered = threading.Condition()
        self._report: Callable[[dict[str, Any]], None] = lambda report: None
        _lines[:] = [self]

    def listen(self, on_message: Callable[[dict[str, Any]], None], on_end: Callable[[], None]) -> None:
        """Hands on what the keeper says, and says so when it has ended."""
        threading.Thread(target=self._listen, args=(on_message, on_end), name='keeper', daemon=True).start()

    def tell(self, **message: Any) -> None:
        """Says something that the keeper needs to know now."""
        self._channel.send(**message)

    def due(self) -> bool:
        """Whether it is time for a sign of life."""
        return time.monotonic() >= self._beat_s

    def beat(self, states: Mapping[str, str], faults: Mapping[str, str]) -> None:
        """A sign of life, with what has changed since the last."""
        self._beat_s = time.monotonic() + BEAT_S
        news = {'states': dict(states)} if states != self._said else {}
        if faults:
            news['faults'] = dict(faults)
        if self._channel.send(**news) and news:
            self._said = dict(states)

    def order(self, order: str, timeout_s: float) -> None:
        """Has the keeper bring the robot into a mode; LoomError says which node is not there in the end."""
        number = next(self._numbers)
        with self._answered:
            self._answers[number] = None
            self._channel.send(order=order, id=number)
            try:
                if not self._answered.wait_for(lambda: self._answers[number] is not None, timeout_s):
                    raise DeadlineError(f'{order!r} must be reached in {timeout_s:g} s and was not: see loom/health')
                error = self._answers[number]
            finally:
                del self._answers[number]
        if error:
            raise LoomError(error)

    def on_report(self, take: Callable[[dict[str, Any]], None]) -> None:
        """Hands the keeper's reports on the whole robot to a function, in the link's thread."""
        self._report = take

    def _listen(self, on_message: Callable[[dict[str, Any]], None], on_end: Callable[[], None]) -> None:
        while True:
            select.select([self._channel], [], [])
            try:
                message = self._channel.receive()
            except EOFError:
                on_end()
                return
            if message is None:
                continue
            if 'report' in message:
                self._report(message['report'])
            elif 'answer' in message:
                with self._answered:
                    if message['answer'] in self._answers:
                        self._answers[message['answer']] = message['error']
                        self._answered.notify_all()
            else:
                on_message(message)


def link() -> Link | None:
    """The line of this process to its keeper; None where it was started by hand."""
    return _lines[0] if _lines else None
