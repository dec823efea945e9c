"""The capability calls of one agent: each id runs once, within its deadline, and can be cancelled.

What the process before this one began is in the journal: what it did is not done again, its outcome is repeated; what
it died over is carried out again where that is declared to be harmless, and is an error elsewhere.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from loom.act.call import Outcome, outcome
from loom.act.capability import (
    BUSY,
    CANCELLED,
    FAILED,
    INTERRUPTED,
    TIMEOUT,
    UNKNOWN,
    check_arguments,
    check_result,
)
from loom.agents import journal
from loom.agents.agent import Agent, Skill
from loom.agents.context import Context
from loom.agents.middleware import wrapped
from loom.core.errors import CapabilityError, EventError, LoomError
from loom.core.event import Event, encode
from loom.core.inlet import first_sent_ns
from loom.core.trace import handling

MAX_RUNNING = 32
MAX_REMEMBERED = 256
MAX_VALUES = 10_000
SCOPE = 'capability.call'


class Calls:
    """Runs calls as tasks on the loop; `answer(event, call_id, outcome)` sends results back."""

    def __init__(self, agent: Agent, notes: journal.Ring, context: Callable[[Event, str], Context],
                 answer: Callable[[Event, str, Outcome], None]) -> None:
        self._agent = agent
        self._notes = notes
        self._context = context
        self._answer = answer
        self._running: dict[str, asyncio.Task[None]] = {}
        self._asked: dict[str, Event] = {}
        self._done: OrderedDict[str, Outcome] = OrderedDict()

    def start(self, event: Event) -> None:
        """Runs the call that the event asks for, goes on with it for whoever asks again, or repeats its outcome."""
        data = event.data
        call_id = str(data.get('call_id') or event.id)
        if call_id in self._running:
            self._asked[call_id] = event
            return
        known = self._known(event, call_id, data)
        if known is None and len(self._running) >= MAX_RUNNING:
            known = failure(CapabilityError(
                f'{self._agent.name!r} does at most {MAX_RUNNING} things at once; try later', BUSY))
        if known is not None:
            self._answer(event, call_id, known)
            return
        self._asked[call_id] = event
        task = asyncio.get_running_loop().create_task(self._run(event, call_id, data))
        self._running[call_id] = task
        # A task that is cancelled before it ran at all never comes to its own end.
        task.add_done_callback(lambda _: self._end(call_id, cancelled(data)))

    def cancel(self, call_id: str) -> None:
        """Ends a running call; its caller hears that it was cancelled."""
        task = self._running.get(call_id)
        if task is not None:
            task.cancel()

    def tasks(self) -> list[asyncio.Task[None]]:
        """The calls that run now."""
        return list(self._running.values())

    def _known(self, event: Event, call_id: str, data: Any) -> Outcome | None:
        """What came of a call before; None where it is to be carried out now."""
        if call_id in self._done:
            return self._done[call_id]
        key, name = journal.key_of(call_id, SCOPE), data.get('name')
        state = self._notes.state(key)
        if state == journal.DONE:
            return _kept(self._notes.result(key)) or failure(CapabilityError(
                f'{name!r} was carried out, and its result was lost with the process; look before you call it again',
                INTERRUPTED))
        skill = self._agent.skills.get(str(name))
        if skill is None or skill.capability.idempotent:
            return None
        why = f'{name!r} died while it ran; it may have been carried out in part: look before you call it again'
        if state == journal.NEW:
            if not 0 < first_sent_ns(event) < self._notes.horizon_ns:
                return None
            why = (f'{name!r} was called before the journal of {self._agent.name!r} begins; it may have been carried '
                   'out: look before you call it again')
        ended = failure(CapabilityError(why, INTERRUPTED))
        self._notes.end(key, encode(ended))
        return ended

    async def _run(self, event: Event, call_id: str, data: Any) -> None:
        try:
            skill = self._skill(data.get('name'))
            arguments = check_arguments(skill.model, data.get('arguments') or {})
            timeout_s = min(float(data.get('timeout_s') or skill.capability.timeout_s), skill.capability.timeout_s)
            self._notes.begin(journal.key_of(call_id, SCOPE))
            name = f'loom.{self._agent.name}.{skill.capability.name}'
            with handling(name, event.traceparent, event.tracestate, cause=event):
                result = await self._do(skill, self._context(event, call_id), arguments, timeout_s)
            ended = outcome(result)
        except asyncio.CancelledError:
            ended = cancelled(data)
        except Exception as error:
            ended = failure(error)
        self._end(call_id, ended)

    def _end(self, call_id: str, ended: Outcome) -> None:
        if self._running.pop(call_id, None) is None:
            return
        event = self._asked.pop(call_id)
        self._notes.end(journal.key_of(call_id, SCOPE), _encoded(ended))
        self._done[call_id] = ended
        if len(self._done) > MAX_REMEMBERED:
            self._done.popitem(last=False)
        self._answer(event, call_id, ended)

    async def _do(self, skill: Skill, context: Context, arguments: dict[str, Any], timeout_s: float) -> Any:
        async def work() -> Any:
            if skill.capability.streams:
                return await _streamed(skill, context, arguments)
            result = await skill.function(context, **arguments)
            return check_result(skill.capability.name, skill.result, result)
        try:
            return await asyncio.wait_for(wrapped(self._agent.middleware, context, context.event, work), timeout_s)
        except asyncio.TimeoutError:
            raise CapabilityError(f'{skill.capability.name!r} must end within {timeout_s:g} s and did not',
                                  TIMEOUT) from None

    def _skill(self, name: Any) -> Skill:
        skill = self._agent.skills.get(str(name))
        if skill is None:
            raise CapabilityError(f'{self._agent.name!r} has no capability named {name!r}; there are: '
                                  f'{", ".join(sorted(self._agent.skills)) or "none"}', UNKNOWN)
        return skill


async def _streamed(skill: Skill, context: Context, arguments: dict[str, Any]) -> list[Any]:
    """Passes each value on as feedback; all of them are the result."""
    values: list[Any] = []
    async with aclosing(skill.function(context, **arguments)) as stream:
        async for value in stream:
            if len(values) == MAX_VALUES:
                raise CapabilityError(f'{skill.capability.name!r} may give at most {MAX_VALUES} values in one call')
            values.append(check_result(skill.capability.name, skill.result, value))
            await context.feedback('', value=values[-1], index=len(values) - 1)
    return values


def _encoded(ended: Outcome) -> bytes:
    try:
        return encode(ended)
    except EventError:
        return b''


def _kept(result: bytes) -> Outcome | None:
    try:
        kept = json.loads(result)
        return outcome(kept['result'], kept['error_code'], kept['error_msg'])
    except (ValueError, KeyError, TypeError):
        return None


def cancelled(data: Any) -> Outcome:
    """The outcome of a call that was cancelled."""
    return failure(CapabilityError(f'{data.get("name")!r} was cancelled', CANCELLED))


def failure(error: Exception) -> Outcome:
    """The outcome of a call that raised."""
    code = error.code if isinstance(error, LoomError) and UNKNOWN <= error.code <= INTERRUPTED else FAILED
    return outcome(None, code, str(error) if isinstance(error, LoomError) else f'{type(error).__name__}: {error}')
