"""The handlers of one agent: each event is handled once, however often it comes and whatever process dies over it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from loom.act.capability import INTERRUPTED as INTERRUPTED_CODE
from loom.agents.agent import Agent, Handler
from loom.agents.context import Context
from loom.agents.exchange import Exchange
from loom.agents.journal import DONE, INTERRUPTED, NEW, Ring, key_of
from loom.agents.mailbox import Letter
from loom.agents.middleware import wrapped
from loom.agents.requests import Requests
from loom.core.clock import NANOSECONDS, wall_ns
from loom.core.errors import AgentError, DeadlineError
from loom.core.event import Event
from loom.core.inlet import FIRST_SENT
from loom.core.ledger import Ledger
from loom.core.patterns import matches
from loom.core.trace import continued, handling

# Weight of the past in the usual time of a handler.
REMEMBERED = 0.8


class Guard(Protocol):
    """Does the work of a part of the agent, and gives what it returned or the error that it raised."""

    def __call__(self, work: Awaitable[Any], event: Event, span: continued, part: Handler) -> Awaitable[Any]:
        """Awaits the work."""
        ...


class Handlers:
    """Hands letters to the handlers that they concern, and questions among them to `requests`; on the loop."""

    def __init__(self, agent: Agent, exchange: Exchange, requests: Requests, journal: Ring, counts: Counter[str],
                 ledger: Ledger, context: Callable[[Event], Context], guarded: Guard) -> None:
        self._agent, self._exchange, self._requests = agent, exchange, requests
        self._journal, self._counts, self._ledger = journal, counts, ledger
        self._context, self._guarded = context, guarded
        self._usual_s: dict[Handler, float] = {}

    async def attend(self, letter: Letter) -> None:
        """Handles a letter, unless that was done or begun before."""
        key = key_of(letter.event.id, letter.pattern)
        state, handlers = self._journal.state(key), self._concerned(letter)
        if state == INTERRUPTED:
            handlers = [handler for handler in handlers if handler.idempotent]
        elif state != NEW:
            self._heard_before(letter, state)
            return
        if state == INTERRUPTED and not handlers:
            self._counts['interrupted'] += 1
            self._journal.end(key)
            self._fail(letter, f'{self._agent.name!r} was ended while it worked on {letter.event.type}; some of it may '
                       'have been done: look before you ask again')
            return
        self._journal.begin(key)
        await self._do(letter, handlers)
        self._journal.end(key)

    def _concerned(self, letter: Letter) -> list[Handler]:
        pattern, type = letter.pattern, letter.event.type
        return [handler for handler in self._agent.handlers
                if handler.pattern == pattern or not pattern and matches(handler.pattern, type)]

    async def _do(self, letter: Letter, handlers: Sequence[Handler]) -> None:
        event = letter.event
        if event.reply_to and not letter.pattern:
            await self._requests.serve(event, self._handle(event, handlers))
            return
        answers = await self._handle(event, handlers)
        # Who is asked among others may keep silent.
        if event.reply_to and any(a is not None and not isinstance(a, Exception) for a in answers):
            self._requests.answer(event, answers)

    async def _handle(self, event: Event, handlers: Sequence[Handler]) -> list[Any]:
        """What each handler returned, or the error that it raised."""
        answers: list[Any] = []
        for handler in handlers:
            event = event.arrived(event.arrived_ns, wall_ns())
            if reason := self._too_late(handler, event):
                self._counts[reason] += 1
                self._ledger.late(event, self._agent.name)
                answers.append(DeadlineError(f'{event.type} came too late: {reason}'))
                continue
            span = handling(f'loom.{self._agent.name}.handle', event.traceparent, event.tracestate, event.type, event)
            answers.append(await self._guarded(self._run(handler, event), event, span, handler))
        return answers or [AgentError(f'{self._agent.name!r} has no handler for {event.type}')]

    async def _run(self, handler: Handler, event: Event) -> Any:
        context, clock = self._context(event), self._exchange.clock
        began_ns = clock.now_ns()
        answer = await wrapped(self._agent.middleware, context, event, lambda: handler.function(context, event))
        took_s = ((context.acted_ns or clock.now_ns()) - began_ns) / NANOSECONDS
        self._usual_s[handler] = took_s + REMEMBERED * (self._usual_s.get(handler, took_s) - took_s)
        return answer

    def _too_late(self, handler: Handler, event: Event) -> str:
        """Why it is not worth beginning: the time is over, or will be before the handler usually does something."""
        if not event.expires_ns:
            return ''
        now_ns = self._exchange.clock.now_ns()
        soon_ns = now_ns + round(self._usual_s.get(handler, 0.0) * NANOSECONDS)
        return 'expired' if event.expired(now_ns) else 'late' if event.expired(soon_ns) else ''

    def _heard_before(self, letter: Letter, state: str) -> None:
        self._counts['duplicate'] += 1
        # Only who still waits asks again: the answer was lost with the process that gave it.
        if state == DONE and FIRST_SENT in letter.event.metadata:
            self._fail(letter, f'{self._agent.name!r} has answered {letter.event.type}, and the answer was lost; look '
                       'before you ask again')

    def _fail(self, letter: Letter, why: str) -> None:
        if letter.event.reply_to and not letter.pattern:
            self._requests.answer(letter.event, [AgentError(why, INTERRUPTED_CODE)])
