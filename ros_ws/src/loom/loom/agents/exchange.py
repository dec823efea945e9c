"""What one agent sends, and the answers and events that its running code waits for."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from loom.act.call import AGAIN_S
from loom.agents.meetings import Meetings
from loom.core.bus import Bus
from loom.core.clock import Clock, wall_ns
from loom.core.errors import ConfigError, DeadlineError, LoomError
from loom.core.event import Event
from loom.core.inlet import FIRST_SENT

ANSWERS = ('reply', 'capability.result')
SIGNS = ('reply.working', 'capability.feedback')
# What nobody has shown to have taken is sent once more this often.
UNTAKEN_S = 1.0
LISTENER_SIZE = 100
MAX_ENDED = 1000
MAX_FEEDBACK = 1000


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
        loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[Event] = loop.create_future()
        self.feedback: deque[Event] = deque(maxlen=MAX_FEEDBACK)
        self.news = asyncio.Event()
        self.taken = False
        self.heard_s = self.sent_s = loop.time()
        self.first_sent_ns = wall_ns()
        self.repeat: asyncio.TimerHandle | None = None
        self.on_start: Callable[[], None] | None = None

    def take(self, event: Event) -> bool:
        """Notes a sign of work, or ends with the answer; False where it already had one."""
        late = self.answer.done()
        self.taken = True
        self.heard_s = asyncio.get_running_loop().time()
        if event.type == 'capability.feedback':
            self.feedback.append(event)
        elif event.type not in SIGNS and not late:
            self.answer.set_result(event)
        self.news.set()
        started, self.on_start = self.on_start, None
        if started is not None:
            asyncio.get_running_loop().call_soon(started)
        return not late or event.type in SIGNS

    async def attended(self, silence_s: float, complaint: str) -> Event:
        """The answer; DeadlineError once nothing was heard for `silence_s` seconds."""
        loop = asyncio.get_running_loop()
        while not self.answer.done():
            left_s = self.heard_s + silence_s - loop.time()
            if left_s <= 0:
                raise DeadlineError(f'{complaint} and gave no sign for {silence_s:g} s')
            await asyncio.wait([self.answer], timeout=left_s)
        return self.answer.result()


class Exchange:
    """One agent's line to the bus; every method but the bus's own runs on the loop.

    A question of which nothing is heard is sent once more, as the same event: whoever has it goes on with it, and who
    was started anew begins with it, or says that the one before died over it.
    """

    def __init__(self, name: str, bus: Bus, clock: Clock, patterns: tuple[str, ...]) -> None:
        self.name = name
        self.bus = bus
        self.clock = clock
        self._patterns = patterns
        self.counts: Counter[str] = Counter()
        self.meetings = Meetings(self._confirm)
        self._pending: dict[str, Pending] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()
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

    async def ask(self, address: str, question: Event, timeout_s: float, accept_s: float = 0.0,
                  silence_s: float = 0.0, on_start: Callable[[], None] | None = None) -> Event:
        """The answer to a question; `on_start` is called once somebody shows that it works on it.

        DeadlineError after `timeout_s`, when nobody took it within `accept_s`, or when whoever works on it gives no
        sign for `silence_s` (0: no such limit).
        """
        with self._sent(address, question) as pending:
            pending.on_start = on_start
            if accept_s:
                await _within(pending.news.wait(), accept_s, f'{address!r} took no {question.type}')
            complaint = f'{address!r} did not answer {question.type}'
            waiting = pending.attended(silence_s, complaint) if silence_s else pending.answer
            answer: Event = await _within(waiting, timeout_s, complaint)
            return answer

    async def follow(self, address: str, question: Event, timeout_s: float) -> AsyncGenerator[Event, None]:
        """The feedback to a question as it comes and at last its answer; DeadlineError after `timeout_s`."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + timeout_s
        with self._sent(address, question) as pending:
            while not pending.answer.done() or pending.feedback:
                while pending.feedback:
                    yield pending.feedback.popleft()
                if not pending.answer.done():
                    await _within(pending.news.wait(), max(until_s - loop.time(), 0.0),
                                  f'{address!r} did not end {question.type}')
                    pending.news.clear()
            yield pending.answer.result()

    @contextmanager
    def _sent(self, address: str, question: Event) -> Iterator[Pending]:
        """What comes back for a question that is sent, while in `with`; what comes later is counted."""
        pending = self._pending[question.id] = Pending()
        try:
            self.bus.send(address, question)
            pending.repeat = asyncio.get_running_loop().call_later(UNTAKEN_S, self._repeat, address, question, pending)
            yield pending
        finally:
            if pending.repeat is not None:
                pending.repeat.cancel()
            self._pending.pop(question.id, None)
            self._ended[question.id] = None
            if len(self._ended) > MAX_ENDED:
                self._ended.popitem(last=False)

    def _repeat(self, address: str, question: Event, pending: Pending) -> None:
        """Sends a question once more if nothing was heard for long enough, and looks again later."""
        loop = asyncio.get_running_loop()
        patience_s = AGAIN_S if pending.taken else UNTAKEN_S
        left_s = max(pending.heard_s, pending.sent_s) + patience_s - loop.time()
        if left_s <= 0:
            left_s, pending.sent_s = patience_s, loop.time()
            self.counts['repeated'] += 1
            # What is worth something for a while only is worth it for as long again.
            worth_ns = question.expires_ns - question.stamp_ns
            again = replace(question, expires_ns=self.clock.now_ns() + worth_ns if question.expires_ns else 0,
                            metadata={**question.metadata, FIRST_SENT: str(pending.first_sent_ns)})
            with suppress(LoomError):
                self.bus.send(address, again)
        pending.repeat = loop.call_later(left_s, self._repeat, address, question, pending)

    def withdraw(self, address: str, question: Event) -> None:
        """Tells the one who was asked that nobody waits any longer."""
        with suppress(LoomError):
            self.bus.send(address, self.compose(question, 'request.cancel', {'id': question.id}))

    def take(self, event: Event) -> bool:
        """Whether the event is an answer or feedback, for which no handler runs; one that nobody awaits is counted."""
        pending = self._pending.get(event.correlation_id)
        if (pending is None or not pending.take(event)) and event.type in ANSWERS:
            known = pending is not None or event.correlation_id in self._ended
            self.counts['late_replies' if known else 'unknown_replies'] += 1
        return event.type in ANSWERS or event.type in SIGNS

    def tap(self, pattern: str, event: Event) -> None:
        """Shows an event to those who listen to its pattern."""
        for listener in list(self._listeners):
            if listener.pattern == pattern:
                listener.put(event)

    def _confirm(self, question: Event) -> None:
        self.bus.send(question.reply_to, self.compose(question, 'reply', True, correlation_id=question.id))


async def _within(answer: Any, timeout_s: float, complaint: str) -> Any:
    try:
        return await asyncio.wait_for(answer, timeout_s)
    except asyncio.TimeoutError:
        raise DeadlineError(f'{complaint} within {timeout_s:g} s; is it active? try `loom list`') from None
