"""The questions that others put to one agent: each is answered once, shows that it is worked on, or is withdrawn."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

from loom.agents.exchange import Exchange
from loom.agents.mailbox import Mailbox
from loom.core.errors import AgentError, BusyError, EventError, LoomError
from loom.core.event import Event

# In the metadata of a question: how often, in seconds, the asker wants a sign that it is worked on.
BEAT = 'beat_s'
# In the metadata of a reply that carries no value: why not, and the error's code.
ERROR, CODE = 'error', 'code'
MIN_BEAT_S = 0.01
MAX_ERROR = 500


class Requests:
    """Answers questions from the inbox; serve() and withdraw() run on the loop."""

    def __init__(self, exchange: Exchange, waiting: Mailbox, counts: Counter[str]) -> None:
        self._exchange = exchange
        self._waiting = waiting
        self._counts = counts
        self._running: dict[str, asyncio.Task[Any]] = {}

    async def serve(self, question: Event, work: Coroutine[Any, Any, Sequence[Any]]) -> None:
        """Does the work, a value or an error of each handler, and answers with the first value that there is."""
        if question.id in self._running:
            self._counts['duplicate'] += 1
            work.close()
            return
        loop = asyncio.get_running_loop()
        task = self._running[question.id] = loop.create_task(work)
        beat = loop.create_task(self._beat(question)) if BEAT in question.metadata else None
        try:
            await asyncio.wait([task])
            if not task.cancelled():
                self.answer(question, task.result())
        finally:
            task.cancel()
            if beat is not None:
                beat.cancel()
            del self._running[question.id]

    def withdraw(self, question_id: str) -> None:
        """Nobody waits for this answer any longer: what waits is taken out, what runs is cancelled."""
        task = self._running.get(question_id)
        if task is not None:
            task.cancel()
        if task is not None or self._waiting.discard(question_id):
            self._counts['cancelled'] += 1

    def tasks(self) -> list[asyncio.Task[Any]]:
        """The questions that are worked on now."""
        return list(self._running.values())

    def answer(self, question: Event, answers: Sequence[Any]) -> None:
        """Sends the first value to the asker, or the first error."""
        values = [a for a in answers if a is not None and not isinstance(a, Exception)]
        faults = [a for a in answers if isinstance(a, Exception)]
        error = None if values or not faults else faults[0]
        try:
            self._reply(question, values[0] if values else None, error)
        except EventError as fault:
            self._reply(question, None, fault)

    def _reply(self, question: Event, data: Any, error: Exception | None) -> None:
        metadata = {} if error is None else {ERROR: str(error)[:MAX_ERROR] or repr(error),
                                             CODE: str(getattr(error, 'code', 0))}
        reply = self._exchange.compose(question, 'reply', data, correlation_id=question.id, metadata=metadata)
        try:
            self._exchange.bus.send(question.reply_to, reply)
        except BusyError:
            self._counts['unanswered'] += 1

    async def _beat(self, question: Event) -> None:
        with suppress(LoomError, ValueError):
            period_s = max(float(question.metadata[BEAT]), MIN_BEAT_S)
            while True:
                self._exchange.bus.send(question.reply_to, self._exchange.compose(
                    question, 'reply.working', None, correlation_id=question.id))
                await asyncio.sleep(period_s)


def answer_of(agent: str, reply: Event) -> Any:
    """The value that a reply carries; AgentError where it carries why there is none."""
    if ERROR in reply.metadata:
        raise AgentError(f'{agent!r}: {reply.metadata[ERROR]}', int(reply.metadata.get(CODE) or 0))
    return reply.data
