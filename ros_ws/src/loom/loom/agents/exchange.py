"""What one agent sends, and the answers and events that its running code waits for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from loom.core.bus import Bus
from loom.core.clock import Clock
from loom.core.errors import ConfigError, DeadlineError
from loom.core.event import Event

ANSWERS = ('reply', 'capability.result', 'capability.feedback')
LISTENER_SIZE = 100


class Listener:
    """Events of one pattern from the moment it is opened; use it in `with`, bounded to the newest 100."""

    def __init__(self, listeners: list[Listener], pattern: str) -> None:
        self.pattern = pattern
        self._listeners = listeners
        self._events: deque[Event] = deque(maxlen=LISTENER_SIZE)
        self._ready = asyncio.Event()

    def __enter__(self) -> Listener:
        self._listeners.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._listeners.remove(self)

    def put(self, event: Event) -> None:
        """Adds an event; called on the loop."""
        self._events.append(event)
        self._ready.set()

    async def next(self, timeout_s: float, where: Callable[[Event], bool] = lambda event: True) -> Event:
        """The next event for which `where` holds; DeadlineError after `timeout_s` seconds."""
        try:
            return await asyncio.wait_for(self._next(where), timeout_s)
        except asyncio.TimeoutError:
            raise DeadlineError(f'no {self.pattern} event came within {timeout_s:g} s') from None

    async def _next(self, where: Callable[[Event], bool]) -> Event:
        while True:
            while self._events:
                event = self._events.popleft()
                if where(event):
                    return event
            self._ready.clear()
            await self._ready.wait()


class Pending:
    """A question that waits for its answer; feedback shows that somebody works on it."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self.accepted = asyncio.Event()

    def take(self, event: Event) -> None:
        """Notes feedback, or ends with the answer."""
        self.accepted.set()
        if event.type != 'capability.feedback' and not self.answer.done():
            self.answer.set_result(event)


class Exchange:
    """One agent's line to the bus; every method but the bus's own runs on the loop."""

    def __init__(self, name: str, bus: Bus, clock: Clock, patterns: tuple[str, ...]) -> None:
        self.name = name
        self.bus = bus
        self.clock = clock
        self._patterns = patterns
        self._pending: dict[str, Pending] = {}
        self._listeners: list[Listener] = []

    def compose(self, cause: Event | None, type: str, data: Any, **fields: Any) -> Event:
        """A new event of this agent, caused by `cause` where there is one."""
        make = Event.create if cause is None else cause.child
        return make(type, data, source=self.name, stamp_ns=self.clock.now_ns(), sender=self.name, **fields)

    def listen(self, pattern: str) -> Listener:
        """A listener for a pattern that the agent declares; ConfigError for another."""
        if pattern not in self._patterns:
            raise ConfigError(f'an agent listens only to what it declares; add listens=({pattern!r},) to '
                              f'Agent({self.name!r})')
        return Listener(self._listeners, pattern)

    async def ask(self, address: str, question: Event, timeout_s: float, accept_s: float = 0.0) -> Event:
        """The answer to a question; DeadlineError after `timeout_s`, or when nobody took it within `accept_s`."""
        pending = self._pending[question.id] = Pending()
        try:
            self.bus.send(address, question)
            if accept_s:
                await _within(pending.accepted.wait(), accept_s, f'{address!r} took no {question.type}')
            answer: Event = await _within(pending.answer, timeout_s, f'{address!r} did not answer {question.type}')
            return answer
        finally:
            self._pending.pop(question.id, None)

    def take(self, event: Event) -> bool:
        """Whether the event is an answer or feedback, for which no handler runs."""
        pending = self._pending.get(event.correlation_id)
        if pending is not None:
            pending.take(event)
        return event.type in ANSWERS

    def tap(self, pattern: str, event: Event) -> None:
        """Shows an event to those who listen to its pattern."""
        for listener in list(self._listeners):
            if listener.pattern == pattern:
                listener.put(event)


async def _within(answer: Any, timeout_s: float, complaint: str) -> Any:
    try:
        return await asyncio.wait_for(answer, timeout_s)
    except asyncio.TimeoutError:
        raise DeadlineError(f'{complaint} within {timeout_s:g} s; is it active? try `loom list`') from None
