"""One thread for what takes too long for a callback; a coroutine callback awaits its results."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Full, Queue
from typing import Any

from rclpy.node import Node
from rclpy.task import Future

from loom.core.errors import LoomError

MAX_WAITING = 16


class Worker:
    """Runs functions one after the other."""

    def __init__(self, node: Node, name: str) -> None:
        self._node = node
        self._name = name
        self._queue: Queue[tuple[Callable[[], Any], Future[Any]] | None] = Queue(MAX_WAITING)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, function: Callable[[], Any]) -> Future[Any]:
        """A future of what the function returns; LoomError where too much is waiting already."""
        future: Future[Any] = Future(executor=self._node.executor)
        try:
            self._queue.put_nowait((function, future))
        except Full:
            raise LoomError(f'{self._name} has {MAX_WAITING} requests waiting, which is the most: try later') from None
        return future

    def close(self) -> None:
        """Ends the thread after the function it is in; what waits is dropped."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put(None)

    def _run(self) -> None:
        while True:
            job = self._queue.get()
            if job is None:
                return
            function, future = job
            try:
                future.set_result(function())
            except Exception as error:
                future.set_exception(error)
