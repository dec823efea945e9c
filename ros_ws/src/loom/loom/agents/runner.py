"""One agent at work: its mailbox, its handlers one event at a time, its timers and calls."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from loom.act.call import Outcome
from loom.agents.agent import Agent, Handler, Timer
from loom.agents.calls import Calls, failure
from loom.agents.claim import CLAIM, Claim
from loom.agents.context import Context
from loom.agents.exchange import Exchange
from loom.agents.failures import Failures
from loom.agents.mailbox import Letter, Mailbox
from loom.agents.meetings import ARRIVE
from loom.agents.middleware import wrapped
from loom.agents.recollection import Recollection
from loom.agents.requests import Requests
from loom.core.bus import Bus, Subscription
from loom.core.clock import NANOSECONDS, Clock, wall_ns
from loom.core.delivery import REALTIME
from loom.core.errors import AgentError, BusyError, ConfigError, DeadlineError, EventError, RefusedError
from loom.core.event import Event
from loom.core.ledger import Ledger
from loom.core.patterns import matches
from loom.core.trace import continued, handling

# Without a body, an agent needs no numpy and no OpenCV.
if TYPE_CHECKING:
    from loom.act.body import Body

CONTROL = ('reply', 'capability.', 'request.cancel', ARRIVE)
CONTROL_SIZE = 1000
COMPLAINTS = ('agent.error', 'agent.failing')
CANCEL_S = 0.05
# Weight of the past in the usual time of a handler.
REMEMBERED = 0.8


class Runner:
    """Runs one agent on the loop it is started on; open() and close() subscribe and end."""

    def __init__(self, agent: Agent, bus: Bus, clock: Clock, body: Body | None,
                 loop: asyncio.AbstractEventLoop, ledger: Ledger, config: BaseModel | None = None,
                 memory: str = '') -> None:
        self.agent = agent
        self.counts: Counter[str] = Counter()
        self.busy = 0
        self.refusal = ''
        self._loop = loop
        self._closing: asyncio.Task[None] | None = None
        self._body = body
        self._config = config
        self._ledger = ledger
        self._usual_s: dict[Handler, float] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._subscriptions: list[Subscription] = []
        self._exchange = Exchange(agent.name, bus, clock, agent.listens)
        self._memory = Recollection(self._exchange, memory)
        self._failures = Failures()
        self._events = Mailbox(agent.mailbox, loop)
        self._heard = Mailbox(agent.mailbox, loop)
        self._control = Mailbox(CONTROL_SIZE, loop)
        self._calls = Calls(agent, self._context, self._answer)
        self._claim = Claim(lambda data: bus.send(agent.name, self._exchange.compose(None, CLAIM, data)))
        self._requests = Requests(self._exchange, self._events, self.counts)

    def open(self) -> None:
        """Opens the inbox, subscribes to every declared pattern, and starts to work; on the loop.

        ConfigError where another agent of this name is known to run; where that shows later, this one closes.
        """
        bus, loop = self._exchange.bus, self._loop
        self._subscriptions.append(bus.receive(self.agent.name, self._receive))
        self._claim.make()
        if self.refusal:
            raise ConfigError(self.refusal)
        wanted = {h.pattern: (self._events, h.delivery) for h in self.agent.handlers}
        heard = [(pattern, self._heard, REALTIME) for pattern in self.agent.listens]
        for pattern, mailbox, delivery in [*((p, *w) for p, w in wanted.items()), *heard]:
            post = _Post(mailbox, pattern)
            subscription = bus.subscribe(pattern, post, delivery)
            if delivery.policy == 'credit':
                post.patient = subscription
            self._subscriptions.append(subscription)
        work = [self._serve_control(), self._serve_heard(), self._memory.load()]
        self._tasks.update(loop.create_task(w) for w in work)
        self._memory.then(self._begin)

    def _begin(self) -> None:
        workers = (self._serve_events() for _ in range(self.agent.concurrency))
        ticks = (self._tick(timer) for timer in self.agent.timers)
        self._tasks.update(self._loop.create_task(work) for work in (*workers, *ticks))

    async def close(self) -> None:
        """Ends subscriptions, calls, timers and handlers."""
        for subscription in self._subscriptions:
            subscription.close()
        self._exchange.meetings.close()
        running: set[asyncio.Task[Any]] = {*self._tasks, *self._calls.tasks(), *self._requests.tasks()}
        while running:
            # Before Python 3.12 a wait that ends in the same moment swallows the cancelling: ask again.
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=CANCEL_S)

    def snapshot(self) -> dict[str, int]:
        """What became of events and replies, by name, and how many events wait."""
        mailboxes = (self._events, self._control, self._heard)
        return {**self.counts, **self._exchange.counts, 'dropped': sum(m.dropped for m in mailboxes),
                'waiting': sum(map(len, mailboxes))}

    def context(self) -> Context:
        """For work that no event caused."""
        return self._context(None)

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing runs but timers."""
        return not (self.busy or len(self._events) or len(self._control) or len(self._heard) or self._calls.tasks())

    def _receive(self, event: Event) -> None:
        if event.type == CLAIM:
            self._contest(event)
            return
        control = event.type.startswith(CONTROL)
        (self._control if control else self._events).put(Letter(event))

    def _contest(self, event: Event) -> None:
        if not self.refusal and self._claim.contested(event.data):
            self.refusal = f'an agent named {self.agent.name!r} runs already; names are unique on a robot'
            self._loop.call_soon_threadsafe(self._give_way)

    def _give_way(self) -> None:
        if self._tasks:
            self.context().log.error('%s; this one ends', self.refusal)
            self._closing = self._loop.create_task(self.close())

    async def _serve_control(self) -> None:
        while True:
            event = (await self._control.take()).event
            if not self._exchange.take(event):
                event = event.arrived(event.arrived_ns, wall_ns())
                await self._guarded(self._obey(event), event, continued(event.traceparent, event.tracestate), None)

    async def _obey(self, event: Event) -> None:
        if event.type == 'capability.call':
            self._memory.then(lambda: self._calls.start(event))
        elif event.type == 'capability.cancel':
            self._calls.cancel(str(event.data['call_id']))
        elif event.type == ARRIVE:
            self._exchange.meetings.ask(event)
        elif event.type == 'request.cancel' and not self._exchange.meetings.withdraw(str(event.data['id'])):
            self._requests.withdraw(str(event.data['id']))

    async def _serve_heard(self) -> None:
        while True:
            letter = await self._heard.take()
            self._exchange.tap(letter.pattern, letter.event)

    async def _serve_events(self) -> None:
        while True:
            letter = await self._events.take()
            self.busy += 1
            await self._attend(letter)
            self.busy -= 1

    async def _attend(self, letter: Letter) -> None:
        if letter.event.reply_to and not letter.pattern:
            await self._requests.serve(letter.event, self._handle(letter))
            return
        answers = await self._handle(letter)
        # Who is asked among others may keep silent.
        if letter.event.reply_to and any(a is not None and not isinstance(a, Exception) for a in answers):
            self._requests.answer(letter.event, answers)

    async def _handle(self, letter: Letter) -> list[Any]:
        """What each handler that the event concerns returned, or the error that it raised."""
        answers = []
        for handler in self.agent.handlers:
            if handler.pattern == letter.pattern or not letter.pattern and matches(handler.pattern, letter.event.type):
                event = letter.event.arrived(letter.event.arrived_ns, wall_ns())
                if reason := self._too_late(handler, event):
                    self.counts[reason] += 1
                    self._ledger.late(event, self.agent.name)
                    answers.append(DeadlineError(f'{event.type} came too late: {reason}'))
                    continue
                span = handling(f'loom.{self.agent.name}.handle', event.traceparent, event.tracestate, event.type,
                                event)
                answers.append(await self._guarded(self._run(handler, event), event, span, handler))
        return answers or [AgentError(f'{self.agent.name!r} has no handler for {letter.event.type}')]

    def _too_late(self, handler: Handler, event: Event) -> str:
        """Why it is not worth beginning: the time is over, or will be before the handler usually does something."""
        if not event.expires_ns:
            return ''
        now_ns = self._exchange.clock.now_ns()
        soon_ns = now_ns + round(self._usual_s.get(handler, 0.0) * NANOSECONDS)
        return 'expired' if event.expired(now_ns) else 'late' if event.expired(soon_ns) else ''

    async def _run(self, handler: Handler, event: Event) -> Any:
        context, clock = self._context(event), self._exchange.clock
        began_ns = clock.now_ns()
        answer = await wrapped(self.agent.middleware, context, event, lambda: handler.function(context, event))
        took_s = ((context.acted_ns or clock.now_ns()) - began_ns) / NANOSECONDS
        self._usual_s[handler] = took_s + REMEMBERED * (self._usual_s.get(handler, took_s) - took_s)
        return answer

    async def _tick(self, timer: Timer) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + timer.period_s
        while True:
            await asyncio.sleep(max(due - loop.time(), 0.0))
            due = max(due + timer.period_s, loop.time())
            await self._guarded(timer.function(self._context(None)), None, handling(f'loom.{self.agent.name}.tick', ''),
                                timer)

    async def _guarded(self, work: Awaitable[Any], event: Event | None, span: continued, part: object) -> Any:
        """What the work of a part of the agent returned, or the error that it raised."""
        with span:
            try:
                answer = await work
            except RefusedError as error:
                self.counts['refused'] += 1
                self._context(event).log.info('%s', error)
                return error
            except Exception as error:
                self.counts['failed'] += 1
                span.failed(error)
                self._complain('agent.error', error, event)
                if part is not None and self._failures.failed(part, asyncio.get_running_loop().time()):
                    self.counts['failing'] += 1
                    self._complain('agent.failing', error, event)
                return error
            self.counts['handled'] += 1
            self._failures.ended_well(part)
            return answer

    def _complain(self, type: str, error: Exception, event: Event | None) -> None:
        what = event.type if event else 'timer'
        self._context(event).log.error('%s: %s failed: %r', type, what, error)
        if event is None or what not in COMPLAINTS and event.hops + 1 < event.hop_limit:
            data = {'agent': self.agent.name, 'event': event.type if event else '', 'error': f'{error!r}'[:500]}
            with suppress(BusyError):
                self._exchange.bus.publish(self._exchange.compose(event, type, data))

    def _context(self, event: Event | None, call_id: str = '') -> Context:
        return Context(self._exchange, self._memory, self._tasks, self._body, event, call_id,
                       self._config)

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
