"""ModelRouter: which backend answers, in which order others are tried, and by when."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, replace

from loom.core.errors import DeadlineError, LoomError, ModelError
from loom.reason.answer import ALL_FAILED, CANCELLED, LATE, NO_BACKEND, TASKS, Answer, Request
from loom.reason.backend import Backend, Cancelled, OnToken

POLL_S = 0.05
MAX_DEADLINE_S = 120.0


@dataclass(frozen=True)
class Choice:
    """The backends in the order they are tried, and why."""

    backends: tuple[Backend, ...]
    reason: str


class ModelRouter:
    """Tries backends in the order they were given; each gets what is left of the deadline."""

    def __init__(self, backends: Sequence[Backend], workers: int = 4) -> None:
        self.counts: Counter[str] = Counter()
        self._backends = tuple(backends)
        self._pool = ThreadPoolExecutor(workers, 'loom-model')

    def route(self, request: Request) -> Choice:
        """The backends that can do the task; ModelError 201 where there is none."""
        if request.task not in TASKS:
            raise ModelError(f'task must be one of {", ".join(TASKS)}, got {request.task!r}', NO_BACKEND)
        able = [b for b in self._backends if request.task in b.tasks]
        usable = tuple(b for b in able if b.local or not request.local_only)
        if not usable:
            why = 'all that do leave this machine and local_only is set' if able else 'add one to the model_router'
            raise ModelError(f'no backend does {request.task!r}: {why}', NO_BACKEND)
        return Choice(usable, f'{usable[0].name} is the first of {len(usable)} for {request.task!r}')

    def ask(self, request: Request, on_token: OnToken = lambda token: None,
            cancelled: Cancelled = lambda: False) -> Answer:
        """The first answer that a backend gives; ModelError 202 late, 203 cancelled, 204 all failed. Blocks."""
        if not 0 < request.deadline_s <= MAX_DEADLINE_S:
            raise ModelError(f'deadline_s must be above 0 and at most {MAX_DEADLINE_S:g}, got {request.deadline_s}',
                             LATE)
        faults, left_s = [], request.deadline_s
        for backend in self.route(request).backends:
            try:
                return self._try(backend, replace(request, deadline_s=left_s), on_token, cancelled)
            except DeadlineError as error:
                raise ModelError(str(error), LATE) from None
            except LoomError as error:
                if cancelled():
                    raise ModelError('the request was cancelled', CANCELLED) from None
                faults.append(f'{backend.name}: {error}')
        raise ModelError('; '.join(faults), ALL_FAILED)

    def close(self) -> None:
        """Lets go of the workers; those that still run end with their backend's deadline."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _try(self, backend: Backend, request: Request, on_token: OnToken, cancelled: Cancelled) -> Answer:
        over = threading.Event()
        work = self._pool.submit(backend.infer, request, on_token, lambda: over.is_set() or cancelled())
        try:
            answer = _wait(work, request.deadline_s, cancelled)
        except LoomError:
            self.counts[f'{backend.name}.failed'] += 1
            raise
        except FutureTimeout:
            self.counts[f'{backend.name}.late'] += 1
            raise DeadlineError(f'{backend.name} did not answer within {request.deadline_s:g} s') from None
        except Exception as error:
            self.counts[f'{backend.name}.failed'] += 1
            raise ModelError(f'{type(error).__name__}: {error}', ALL_FAILED) from error
        finally:
            over.set()
        self.counts[f'{backend.name}.answered'] += 1
        return answer


def _wait(work: Future[Answer], deadline_s: float, cancelled: Cancelled) -> Answer:
    waited_s = 0.0
    while True:
        step_s = min(POLL_S, deadline_s - waited_s)
        try:
            return work.result(max(step_s, 0.0))
        except FutureTimeout:
            waited_s += step_s
            if cancelled():
                raise ModelError('cancelled', CANCELLED) from None
            if waited_s >= deadline_s - 1e-9:
                raise
