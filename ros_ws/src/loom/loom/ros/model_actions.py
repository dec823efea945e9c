"""Models on ROS: the service that says who would answer, and the action that streams an answer."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from loom_msgs.action import Infer
from loom_msgs.srv import Route
from rclpy.task import Future

from loom.core.errors import LoomError
from loom.core.trace import handling
from loom.reason.answer import ALL_FAILED, CANCELLED, Request
from loom.reason.router import ModelRouter
from loom.ros.node import LoomNode

WORKERS = 4
DEFAULT_DEADLINE_S = 5.0


class ModelActions:
    """Serves `model_router/route` and `model_router/infer`."""

    def __init__(self, node: LoomNode, router: ModelRouter) -> None:
        self._node = node
        self._router = router
        self._pool = ThreadPoolExecutor(WORKERS, 'loom-infer')
        node.serve(Route, 'model_router/route', self._route)
        node.serve_action(Infer, 'model_router/infer', self._infer)

    def close(self) -> None:
        """Drops what waits."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _route(self, request: Route.Request, response: Route.Response) -> Route.Response:
        choice = self._router.route(Request(request.task, request.text, {}, request.deadline, request.local_only))
        names = [backend.name for backend in choice.backends]
        response.backend, response.reason, response.fallbacks = names[0], choice.reason, names[1:]
        return response

    async def _infer(self, goal: Any) -> Infer.Result:
        ended = Future(executor=self._node.executor)
        self._pool.submit(self._work, goal, ended)
        result: Infer.Result = await ended
        if result.error_code == CANCELLED:
            goal.canceled()
        elif result.error_code:
            goal.abort()
        else:
            goal.succeed()
        return result

    def _work(self, goal: Any, ended: Any) -> None:
        try:
            with handling('loom.model_router.infer', goal.request.traceparent, about=goal.request.task):
                result = self._answer(goal)
        except LoomError as error:
            result = Infer.Result(error_code=error.code or ALL_FAILED, error_msg=str(error))
        except Exception as error:
            result = Infer.Result(error_code=ALL_FAILED, error_msg=f'{type(error).__name__}: {error}')
        self._node.call_soon(lambda: ended.set_result(result))

    def _answer(self, goal: Any) -> Infer.Result:
        request = goal.request
        try:
            context = dict(json.loads(request.context or '{}'))
        except (ValueError, TypeError) as error:
            raise LoomError(f'context must be a JSON object: {error}', ALL_FAILED) from error
        answer = self._router.ask(
            Request(request.task, request.prompt, context, request.deadline or DEFAULT_DEADLINE_S, request.local_only),
            lambda token: goal.publish_feedback(Infer.Feedback(token=token)), lambda: goal.is_cancel_requested)
        return Infer.Result(text=answer.text, backend=answer.backend, confidence=answer.confidence)
