"""Calls capabilities through the action of the broker, from any thread but the executor's; outlives the broker."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable
from typing import Any

from loom_msgs.action import Invoke
from rclpy.action import ActionClient
from rclpy.node import Node
from rclpy.task import Future

from loom.core.errors import CapabilityError, DeadlineError
from loom.core.event import new_id
from loom.core.trace import trace_headers

ACTION = 'action_broker/invoke'
POLL_S = 0.05
# The first request to a server that is just found can be lost.
ACCEPT_S = 2.0
GRACE_S = 1.0


class CapabilityClient:
    """Any number of calls at once; a goal that was lost with its server is sent to the next, with the same call id."""

    def __init__(self, node: Node) -> None:
        self._node = node
        # Whole before the executor sees it: it is made on its thread.
        self._client: Any = self._on_executor(lambda: ActionClient(node, Invoke, ACTION))

    def call(self, capability: str, arguments: dict[str, Any], timeout_s: float, call_id: str = '') -> Any:
        """The result; CapabilityError where it fails, DeadlineError a second after `timeout_s` at the latest."""
        call_id, until_s = call_id or new_id(), time.monotonic() + timeout_s
        traceparent, _ = trace_headers('invoke')
        results: queue.Queue[Any] = queue.Queue()
        asked: set[bytes] = set()
        accepted, asked_s = [False], 0.0
        while (now_s := time.monotonic()) < until_s + GRACE_S:
            servers = self._servers()
            lost = not accepted[0] and now_s - asked_s > ACCEPT_S
            if servers and (servers - asked or lost) and self._client.server_is_ready():
                asked, asked_s, accepted[0] = servers, now_s, False
                goal = Invoke.Goal(capability=capability, arguments=json.dumps(arguments), call_id=call_id,
                                   timeout=max(until_s - now_s, POLL_S), traceparent=traceparent)
                self._send(goal, accepted, results)
            try:
                result = results.get(timeout=POLL_S)
            except queue.Empty:
                continue
            if result.error_code:
                raise CapabilityError(result.error_msg, result.error_code)
            return json.loads(result.result)
        raise DeadlineError(f'{capability!r} must end within {timeout_s:g} s and did not; is action_broker active? '
                            'try `loom list`')

    def close(self) -> None:
        """Ends it; not while the node is spun: the executor may be about to come to it (ros2/rclpy#1644)."""
        self._client.destroy()

    def _send(self, goal: Invoke.Goal, accepted: list[bool], results: queue.Queue[Any]) -> None:
        def ended(future: Future[Any]) -> None:
            results.put(future.result().result)

        def taken(future: Future[Any]) -> None:
            accepted[0] = True
            future.result().get_result_async().add_done_callback(ended)
        self._client.send_goal_async(goal).add_done_callback(taken)

    def _servers(self) -> set[bytes]:
        """One number for each server that is there; one that was started anew has another."""
        found = self._node.get_publishers_info_by_topic(f'{ACTION}/_action/status')
        return {bytes(end.endpoint_gid) for end in found}

    def _on_executor(self, work: Callable[[], Any]) -> Any:
        executor = self._node.executor
        if executor is None:
            return work()
        done: queue.Queue[Any] = queue.Queue()
        executor.create_task(lambda: done.put(work()))
        try:
            return done.get(timeout=ACCEPT_S)
        except queue.Empty:
            raise DeadlineError(f'the executor of {self._node.get_name()} must answer within {ACCEPT_S:g} s and did '
                                'not; is it spun?') from None
