"""ModelServer: answers the mailbox `model_router`, so that agents on any bus can think."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from loom.core.bus import Bus
from loom.core.clock import NANOSECONDS, Clock, wall_ns
from loom.core.errors import LoomError, ModelError
from loom.core.event import Event
from loom.core.inlet import first_sent_ns
from loom.core.trace import handling
from loom.reason.answer import ALL_FAILED, LATE, Request
from loom.reason.router import MAX_DEADLINE_S, ModelRouter

ADDRESS = 'model_router'
WORKERS = 4
MAX_WAITING = 64
# Of what is left of the time, what the model gets; the rest is for the answer's way back.
MODEL_SHARE = 0.95


class ModelServer:
    """Answers `model.infer` {task, prompt, context, deadline_s, local_only} with an answer or an error code.

    What is asked once more while it waits is answered once; `deadline_s` runs from when it was first asked.
    """

    def __init__(self, bus: Bus, clock: Clock, router: ModelRouter) -> None:
        self._bus = bus
        self._clock = clock
        self._router = router
        self._pool = ThreadPoolExecutor(WORKERS, 'loom-think')
        self._waiting: set[str] = set()
        self._mailbox = bus.receive(ADDRESS, self._receive)

    def close(self) -> None:
        """Closes the mailbox; waiting requests are dropped."""
        self._mailbox.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _receive(self, event: Event) -> None:
        if event.type != 'model.infer' or not event.reply_to:
            return
        if event.id in self._waiting:
            return
        if len(self._waiting) >= MAX_WAITING:
            self._reply(event, failure(LoomError(f'at most {MAX_WAITING} requests may wait; try later', ALL_FAILED)))
            return
        self._waiting.add(event.id)
        self._pool.submit(self._work, event)

    def _work(self, event: Event) -> None:
        try:
            with handling(f'loom.{ADDRESS}.infer', event.traceparent, event.tracestate, cause=event):
                self._reply(event, self._answer(event))
        finally:
            self._waiting.discard(event.id)

    def _answer(self, event: Event) -> dict[str, Any]:
        try:
            answer = self._router.ask(in_time(request_of(event.data), event, wall_ns()))
        except LoomError as error:
            return failure(error)
        return {'text': answer.text, 'backend': answer.backend, 'confidence': answer.confidence,
                'error_code': 0, 'error_msg': ''}

    def _reply(self, event: Event, result: dict[str, Any]) -> None:
        self._bus.send(event.reply_to, event.answer(result, source=ADDRESS, stamp_ns=self._clock.now_ns(),
                                                    sender=ADDRESS))


def request_of(data: Any) -> Request:
    """The request in an event's data; LoomError where it is malformed."""
    try:
        return Request(str(data['task']), str(data['prompt']), dict(data.get('context') or {}),
                       float(data.get('deadline_s', 5.0)), bool(data.get('local_only', False)))
    except (TypeError, KeyError, ValueError) as error:
        raise LoomError(f'model.infer needs task and prompt: {error!r}', ALL_FAILED) from error


def in_time(request: Request, event: Event, now_ns: int) -> Request:
    """The request with the time that is left for a model; ModelError 202 where none is."""
    if not 0 < request.deadline_s <= MAX_DEADLINE_S:
        return request
    # Each difference is of one machine's clock.
    before_ns, here_ns = event.sent_ns - first_sent_ns(event), now_ns - (event.arrived_ns or now_ns)
    left_s = request.deadline_s - (max(before_ns, 0) + max(here_ns, 0)) / NANOSECONDS
    if left_s <= 0:
        raise ModelError(f'the answer was wanted within {request.deadline_s:g} s, which were over when its turn came; '
                         'ask less often or give it more time', LATE)
    return replace(request, deadline_s=left_s * MODEL_SHARE)


def failure(error: LoomError) -> dict[str, Any]:
    """The reply that carries an error."""
    return {'text': '', 'backend': '', 'confidence': 0.0, 'error_code': error.code or ALL_FAILED,
            'error_msg': str(error)}


