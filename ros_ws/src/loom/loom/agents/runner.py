"""One agent at work: its mailbox, its handlers one event at a time, its timers and calls."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from loom.act.call import Outcome
from loom.agents.agent import Agent, Handler, Timer
from loom.agents.calls import Calls, failure
from loom.agents.claim import CLAIM, Claim
from loom.agents.context import Context
from loom.agents.directory import Directory
from loom.agents.exchange import Exchange
from loom.agents.failures import IN_A_ROW, WINDOW_S, Failures
from loom.agents.handlers import Handlers
from loom.agents.journal import Journal
from loom.agents.mailbox import Letter, Mailbox
from loom.agents.meetings import ARRIVE
from loom.agents.recollection import Recollection
from loom.agents.requests import Requests
from loom.core.bus import Bus, Subscription
from loom.core.clock import Clock, wall_ns
from loom.core.delivery import REALTIME
from loom.core.errors import BusyError, ConfigError, EventError, RefusedError
from loom.core.event import Event
from loom.core.ledger import Ledger
from loom.core.trace import continued, handling

# Without a body, an agent needs no numpy and no OpenCV.
if TYPE_CHECKING:
    from loom.act.body import Body

CONTROL = ('reply', 'capability.', 'request.cancel', ARRIVE)
CONTROL_SIZE = 1000
COMPLAINTS = ('agent.error', 'agent.failing')
CANCEL_S = 0.05
# So long letters are handled in a row before everything else on the loop has its turn.
SHARE_S = 0.005
MAX_COMPLAINT = 500


class Runner:
    """Runs one agent on the loop it is started on; open() and close() subscribe and end.

    `failing` says why the agent must be started anew; empty while all is well. ConfigError where the file of the
    journal is in use, StateError where a newer Loom wrote it.
    """

    def __init__(self, agent: Agent, bus: Bus, clock: Clock, body: Body | None,
                 loop: asyncio.AbstractEventLoop, ledger: Ledger, config: BaseModel | None = None,
                 memory: str = '', journal: Path | None = None,
                 directory: Callable[[], Directory] = Directory) -> None:
        self.agent = agent
        self.counts: Counter[str] = Counter()
        self.busy = 0
        self.refusal = ''
        self.failing = ''
        self._directory = directory
        self._loop = loop
        self._closing: asyncio.Task[None] | None = None
        self._body = body
        self._config = config
        self._tasks: set[asyncio.Task[Any]] = set()
        self._subscriptions: list[Subscription] = []
        self._exchange = Exchange(agent.name, bus, clock, agent.listens)
        self._memory = Recollection(self._exchange, memory)
        self._failures = Failures()
        self._events = Mailbox(agent.mailbox, loop)
        self._heard = Mailbox(agent.mailbox, loop)
        self._control = Mailbox(CONTROL_SIZE, loop)
        self._journal = Journal(journal)
        self._calls = Calls(agent, self._journal.calls, self._context, self._answer)
        self._claim = Claim(lambda data: bus.send(agent.name, self._exchange.compose(None, CLAIM, data)))
        self._requests = Requests(self._exchange, self._events, self.counts)
        self._handlers = Handlers(agent, self._exchange, self._requests, self._journal.events, self.counts, ledger,
                                  self._context, self._guarded)

    def open(self) -> None:
        """Opens the inbox, subscribes to every declared pattern, and starts to work; on the loop.

        ConfigError where another agent of this name is known to run; where that shows later, this one closes.
        """
        bus, loop = self._exchange.bus, self._loop
        if self._journal.notice:
            self.context().log.warning('%s', self._journal.notice)
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
        self.release()

    def release(self) -> None:
        """Lets go of the journal, so that another runner can have it."""
        self._journal.close()

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
            # Whoever asks once more waits once.
            self._exchange.meetings.withdraw(event.id)
            self._exchange.meetings.ask(event)
        elif event.type == 'request.cancel' and not self._exchange.meetings.withdraw(str(event.data['id'])):
            self._requests.withdraw(str(event.data['id']))

    async def _serve_heard(self) -> None:
        while True:
            letter = await self._heard.take()
            self._exchange.tap(letter.pattern, letter.event)

    async def _serve_events(self) -> None:
        since_s = self._loop.time()
        while True:
            letter = await self._events.take()
            self.busy += 1
            await self._handlers.attend(letter)
            self.busy -= 1
            # Handlers that wait for nothing would keep the loop as long as letters wait.
            if self._loop.time() - since_s > SHARE_S:
                await asyncio.sleep(0)
                since_s = self._loop.time()

    async def _tick(self, timer: Timer) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + timer.period_s
        while True:
            await asyncio.sleep(max(due - loop.time(), 0.0))
            due = max(due + timer.period_s, loop.time())
            await self._guarded(timer.function(self._context(None)), None, handling(f'loom.{self.agent.name}.tick', ''),
                                timer)

    async def _guarded(self, work: Awaitable[Any], event: Event | None, span: continued,
                       part: Handler | Timer | None) -> Any:
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
                    self.failing = self.failing or (
                        f'agent {self.agent.name!r}: {_name(part)} failed {IN_A_ROW} times in a row within '
                        f'{WINDOW_S:g} s: {error!r}'[:MAX_COMPLAINT])
                    self._complain('agent.failing', error, event)
                return error
            self.counts['handled'] += 1
            self._failures.ended_well(part)
            return answer

    def _complain(self, type: str, error: Exception, event: Event | None) -> None:
        what = event.type if event else 'timer'
        self._context(event).log.error('%s: %s failed: %r', type, what, error)
        if event is None or what not in COMPLAINTS and event.hops + 1 < event.hop_limit:
            data = {'agent': self.agent.name, 'event': event.type if event else '',
                    'error': f'{error!r}'[:MAX_COMPLAINT]}
            with suppress(BusyError):
                self._exchange.bus.publish(self._exchange.compose(event, type, data))

    def _context(self, event: Event | None, call_id: str = '') -> Context:
        return Context(self._exchange, self._memory, self._tasks, self._body, event, call_id,
                       self._config, self._directory)

    def _answer(self, event: Event, call_id: str, ended: Outcome) -> None:
        if not event.reply_to:
            return
        try:
            result = self._exchange.compose(event, 'capability.result', ended, correlation_id=call_id)
        except EventError as error:
            result = self._exchange.compose(event, 'capability.result', failure(error), correlation_id=call_id)
        self._exchange.bus.send(event.reply_to, result)


def _name(part: Handler | Timer) -> str:
    return str(getattr(part.function, '__name__', part.function))


class _Post:
    """Puts events of one pattern into a mailbox; a patient subscription is paused while that is full."""

    def __init__(self, mailbox: Mailbox, pattern: str) -> None:
        self.patient: Subscription | None = None
        self._mailbox, self._pattern = mailbox, pattern

    def __call__(self, event: Event) -> None:
        self._mailbox.put(Letter(event, self._pattern, self.patient))
