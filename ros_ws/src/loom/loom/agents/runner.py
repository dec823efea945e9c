"""One agent at work: its mailbox, its handlers one event at a time, its timers and calls."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from loom.act.body import Body
from loom.act.call import Outcome
from loom.agents.agent import Agent, Handler, Timer
from loom.agents.calls import Calls, failure
from loom.agents.context import Context
from loom.agents.exchange import Exchange
from loom.agents.mailbox import Letter, Mailbox
from loom.core.bus import Bus, Subscription
from loom.core.clock import Clock
from loom.core.delivery import REALTIME
from loom.core.errors import EventError
from loom.core.event import Event
from loom.core.patterns import matches
from loom.core.trace import continued

CONTROL = ('reply', 'capability.')
CONTROL_SIZE = 1000
CANCEL_S = 0.05


class Runner:
    """Runs one agent on the loop it is started on; open() and close() subscribe and end."""

    def __init__(self, agent: Agent, bus: Bus, clock: Clock, body: Body | None,
                 loop: asyncio.AbstractEventLoop) -> None:
        self.agent = agent
        self.counts: Counter[str] = Counter()
        self.busy = 0
        self._body = body
        self._memory: dict[str, Any] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._subscriptions: list[Subscription] = []
        self._exchange = Exchange(agent.name, bus, clock, agent.listens)
        self._events = Mailbox(agent.mailbox, loop)
        self._heard = Mailbox(agent.mailbox, loop)
        self._control = Mailbox(CONTROL_SIZE, loop)
        self._calls = Calls(agent, self._context, self._answer)

    def open(self) -> None:
        """Opens the inbox, subscribes to every declared pattern, and starts to work; on the loop."""
        bus, loop = self._exchange.bus, asyncio.get_running_loop()
        wanted = {h.pattern: (self._events, h.delivery) for h in self.agent.handlers}
        heard = [(pattern, self._heard, REALTIME) for pattern in self.agent.listens]
        for pattern, mailbox, delivery in [*((p, *w) for p, w in wanted.items()), *heard]:
            self._subscriptions.append(bus.subscribe(pattern, _post(mailbox, pattern), delivery))
        self._subscriptions.append(bus.receive(self.agent.name, self._receive))
        work = [self._serve_events(), self._serve_control(), self._serve_heard(),
                *(self._tick(t) for t in self.agent.timers)]
        self._tasks.update(loop.create_task(w) for w in work)

    async def close(self) -> None:
        """Ends subscriptions, calls, timers and handlers."""
        for subscription in self._subscriptions:
            subscription.close()
        running: set[asyncio.Task[Any]] = {*self._tasks, *self._calls.tasks()}
        while running:
            # Before Python 3.12 a wait that ends in the same moment swallows the cancelling: ask again.
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=CANCEL_S)

    def snapshot(self) -> dict[str, int]:
        """Counters: handled, failed, expired, dropped, waiting."""
        mailboxes = (self._events, self._control, self._heard)
        return {**self.counts, 'dropped': sum(m.dropped for m in mailboxes), 'waiting': sum(map(len, mailboxes))}

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing runs but timers."""
        return not (self.busy or len(self._events) or len(self._control) or len(self._heard) or self._calls.tasks())

    def _receive(self, event: Event) -> None:
        control = event.type.startswith(CONTROL)
        (self._control if control else self._events).put(Letter(event))

    async def _serve_control(self) -> None:
        while True:
            event = (await self._control.take()).event
            if not self._exchange.take(event):
                await self._guarded(self._obey(event), event)

    async def _obey(self, event: Event) -> None:
        if event.type == 'capability.call':
            self._calls.start(event)
        elif event.type == 'capability.cancel':
            self._calls.cancel(str(event.data['call_id']))

    async def _serve_heard(self) -> None:
        while True:
            letter = await self._heard.take()
            self._exchange.tap(letter.pattern, letter.event)

    async def _serve_events(self) -> None:
        while True:
            letter = await self._events.take()
            self.busy = 1
            if letter.event.expired(self._exchange.clock.now_ns()):
                self.counts['expired'] += 1
            else:
                await self._handle(letter)
            self.busy = 0

    async def _handle(self, letter: Letter) -> None:
        event = letter.event
        for handler in self.agent.handlers:
            if handler.pattern == letter.pattern or not letter.pattern and matches(handler.pattern, event.type):
                await self._guarded(self._run(handler, event), event)

    async def _run(self, handler: Handler, event: Event) -> None:
        answer = await handler.function(self._context(event), event)
        if answer is not None and event.reply_to:
            self._exchange.bus.send(event.reply_to, self._exchange.compose(
                event, 'reply', answer, correlation_id=event.id))

    async def _tick(self, timer: Timer) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + timer.period_s
        while True:
            await asyncio.sleep(max(due - loop.time(), 0.0))
            due = max(due + timer.period_s, loop.time())
            await self._guarded(timer.function(self._context(None)), None)

    async def _guarded(self, work: Awaitable[Any], event: Event | None) -> Any:
        try:
            with continued(event.traceparent if event else '', event.tracestate if event else ''):
                result = await work
            self.counts['handled'] += 1
            return result
        except Exception as error:
            self.counts['failed'] += 1
            self._complain(error, event)
            return None

    def _complain(self, error: Exception, event: Event | None) -> None:
        self._context(event).log.error('%s failed: %r', event.type if event else 'timer', error)
        if event is None or event.type != 'agent.error' and event.hops + 1 < event.hop_limit:
            data = {'agent': self.agent.name, 'event': event.type if event else '', 'error': f'{error!r}'[:500]}
            self._exchange.bus.publish(self._exchange.compose(event, 'agent.error', data))

    def _context(self, event: Event | None, call_id: str = '') -> Context:
        return Context(self._exchange, self._memory, self._tasks, self._body, event, call_id)

    def _answer(self, event: Event, call_id: str, ended: Outcome) -> None:
        if not event.reply_to:
            return
        try:
            result = self._exchange.compose(event, 'capability.result', ended, correlation_id=call_id)
        except EventError as error:
            result = self._exchange.compose(event, 'capability.result', failure(error), correlation_id=call_id)
        self._exchange.bus.send(event.reply_to, result)


def _post(mailbox: Mailbox, pattern: str) -> Callable[[Event], None]:
    return lambda event: mailbox.put(Letter(event, pattern))
