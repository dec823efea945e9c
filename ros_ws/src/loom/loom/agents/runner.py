"""One agent at work: its mailbox, its handlers one event at a time, its timers and calls."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from loom.act.call import Outcome
from loom.agents.agent import Agent, Handler, Timer
from loom.agents.calls import Calls, failure
from loom.agents.context import Context
from loom.agents.exchange import Exchange
from loom.agents.mailbox import Letter, Mailbox
from loom.core.bus import Bus, Subscription
from loom.core.clock import NANOSECONDS, Clock, wall_ns
from loom.core.delivery import REALTIME
from loom.core.errors import EventError
from loom.core.event import Event
from loom.core.ledger import Ledger
from loom.core.patterns import matches
from loom.core.trace import continued, handling

# Without a body, an agent needs no numpy and no OpenCV.
if TYPE_CHECKING:
    from loom.act.body import Body

CONTROL = ('reply', 'capability.')
CONTROL_SIZE = 1000
CANCEL_S = 0.05
# Weight of the past in the usual time of a handler.
REMEMBERED = 0.8


class Runner:
    """Runs one agent on the loop it is started on; open() and close() subscribe and end."""

    def __init__(self, agent: Agent, bus: Bus, clock: Clock, body: Body | None,
                 loop: asyncio.AbstractEventLoop, ledger: Ledger) -> None:
        self.agent = agent
        self.counts: Counter[str] = Counter()
        self.busy = 0
        self._body = body
        self._ledger = ledger
        self._usual_s: dict[Handler, float] = {}
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
            post = _Post(mailbox, pattern)
            subscription = bus.subscribe(pattern, post, delivery)
            if delivery.policy == 'credit':
                post.patient = subscription
            self._subscriptions.append(subscription)
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
                event = event.arrived(event.arrived_ns, wall_ns())
                await self._guarded(self._obey(event), event, continued(event.traceparent, event.tracestate))

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
            await self._handle(letter)
            self.busy = 0

    async def _handle(self, letter: Letter) -> None:
        for handler in self.agent.handlers:
            if handler.pattern == letter.pattern or not letter.pattern and matches(handler.pattern, letter.event.type):
                event = letter.event.arrived(letter.event.arrived_ns, wall_ns())
                if reason := self._too_late(handler, event):
                    self.counts[reason] += 1
                    self._ledger.late(event, self.agent.name)
                    continue
                await self._guarded(self._run(handler, event), event, handling(
                    f'loom.{self.agent.name}.handle', event.traceparent, event.tracestate, event.type, event))

    def _too_late(self, handler: Handler, event: Event) -> str:
        """Why it is not worth beginning: the time is over, or will be before the handler usually does something."""
        if not event.expires_ns:
            return ''
        now_ns = self._exchange.clock.now_ns()
        soon_ns = now_ns + round(self._usual_s.get(handler, 0.0) * NANOSECONDS)
        return 'expired' if event.expired(now_ns) else 'late' if event.expired(soon_ns) else ''

    async def _run(self, handler: Handler, event: Event) -> None:
        context, clock = self._context(event), self._exchange.clock
        began_ns = clock.now_ns()
        answer = await handler.function(context, event)
        took_s = ((context.acted_ns or clock.now_ns()) - began_ns) / NANOSECONDS
        self._usual_s[handler] = took_s + REMEMBERED * (self._usual_s.get(handler, took_s) - took_s)
        if answer is not None and event.reply_to:
            self._exchange.bus.send(event.reply_to, self._exchange.compose(
                event, 'reply', answer, correlation_id=event.id))

    async def _tick(self, timer: Timer) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + timer.period_s
        while True:
            await asyncio.sleep(max(due - loop.time(), 0.0))
            due = max(due + timer.period_s, loop.time())
            await self._guarded(timer.function(self._context(None)), None, handling(f'loom.{self.agent.name}.tick', ''))

    async def _guarded(self, work: Awaitable[Any], event: Event | None, span: continued) -> None:
        with span:
            try:
                await work
                self.counts['handled'] += 1
            except Exception as error:
                self.counts['failed'] += 1
                span.failed(error)
                self._complain(error, event)

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


class _Post:
    """Puts events of one pattern into a mailbox; a patient subscription is paused while that is full."""

    def __init__(self, mailbox: Mailbox, pattern: str) -> None:
        self.patient: Subscription | None = None
        self._mailbox, self._pattern = mailbox, pattern

    def __call__(self, event: Event) -> None:
        self._mailbox.put(Letter(event, self._pattern, self.patient))
