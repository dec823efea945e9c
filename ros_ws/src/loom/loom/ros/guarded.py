"""Callbacks that may fail without ending the process that other nodes live in."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from typing import Any

from loom.core.errors import LoomError
from loom.ros.dds_events import WatchedNode


class GuardedNode(WatchedNode):
    """Counts and logs what its callbacks raise; a service answers with the error instead."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        self._failures = 0
        self._last_failure = ''

    def _guarded(self, callback: Callable[..., None]) -> Callable[[Any], None]:
        def guarded(argument: Any) -> None:
            try:
                callback(argument)
            except Exception as error:
                self._failed(error)
        return guarded

    def _guarded_call(self, callback: Callable[[], None]) -> Callable[[], None]:
        guarded = self._guarded(lambda _: callback())
        return lambda: guarded(None)

    def _answering(self, callback: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def answer(request: Any, response: Any) -> Any:
            try:
                return callback(request, response)
            except Exception as error:
                return self._refusal(error, response)

        async def answer_later(request: Any, response: Any) -> Any:
            try:
                return await callback(request, response)
            except Exception as error:
                return self._refusal(error, response)

        return answer_later if inspect.iscoroutinefunction(callback) else answer

    def _refusal(self, error: Exception, response: Any) -> Any:
        self._failed(error)
        code = getattr(error, 'code', 0) or 1
        for field, value in (('success', False), ('message', str(error)),
                             ('error_msg', str(error)), ('error_code', code)):
            if hasattr(response, field):
                setattr(response, field, value)
        return response

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        self._last_failure = str(error)
        details = '' if isinstance(error, LoomError) else '\n' + traceback.format_exc()
        self.get_logger().error(f'{error}{details}', throttle_duration_sec=5.0)
