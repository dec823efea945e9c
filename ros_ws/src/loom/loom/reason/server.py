"""ModelServer: answers the mailbox `model_router`, so that agents on any bus can think."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from loom.core.bus import Bus
from loom.core.clock import Clock
from loom.core.errors import LoomError
from loom.core.event import Event
from loom.core.trace import handling
from loom.reason.answer import ALL_FAILED, Request
from loom.reason.router import ModelRouter

ADDRESS = 'model_router'
WORKERS = 4
MAX_WAITING = 64


class ModelServer:
    """Answers `model.infer` {task, prompt, context, deadline_s, local_only} with an answer or an error code."""

    def __init__(self, bus: Bus, clock: Clock, router: ModelRouter) -> None:
        self._bus = bus
        self._clock = clock
        self._router = router
        self._pool = ThreadPoolExecutor(WORKERS, 'loom-think')
        self._waiting = 0
        self._mailbox = bus.receive(ADDRESS, self._receive)

    def close(self) -> None:
        """Closes the mailbox; waiting requests are dropped."""
        self._mailbox.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _receive(self, event: Event) -> None:
        if event.type != 'model.infer' or not event.reply_to:
            return
        if self._waiting >= MAX_WAITING:
            self._reply(event, failure(LoomError(f'at most {MAX_WAITING} requests may wait; try later', ALL_FAILED)))
            return
        self._waiting += 1
        self._pool.submit(self._work, event)

    def _work(self, event: Event) -> None:
        with handling(f'loom.{ADDRESS}.infer', event.traceparent, event.tracestate, cause=event):
            self._answer(event)

    def _answer(self, event: Event) -> None:
        try:
            answer = self._router.ask(request_of(event.data))
            result = {'text': answer.text, 'backend': answer.backend, 'confidence': answer.confidence,
                      'error_code': 0, 'error_msg': ''}
        except LoomError as error:
            result = failure(error)
        finally:
            self._waiting -= 1
        self._reply(event, result)

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


def failure(error: LoomError) -> dict[str, Any]:
    """The reply that carries an error."""
    return {'text': '', 'backend': '', 'confidence': 0.0, 'error_code': error.code or ALL_FAILED,
            'error_msg': str(error)}


