"""Asks other nodes for lifecycle transitions, with deadlines, from any thread but the executor's."""

from __future__ import annotations

import threading
import time
from typing import Any

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.client import Client
from rclpy.exceptions import InvalidHandle
from rclpy.node import Node

from loom.core.errors import DeadlineError, LoomError

CONFIGURE, CLEANUP = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_CLEANUP
ACTIVATE, DEACTIVATE = Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_DEACTIVATE
STEPS = {CONFIGURE: ('unconfigured', 'inactive'), ACTIVATE: ('inactive', 'active'),
         DEACTIVATE: ('active', 'inactive'), CLEANUP: ('inactive', 'unconfigured')}
NAMES = {CONFIGURE: 'configure', ACTIVATE: 'activate', DEACTIVATE: 'deactivate', CLEANUP: 'clean up'}
POLL_S = 0.02
# The first request to a fresh server can be lost: it is asked again, after a look at the state it has by then.
ATTEMPT_S = 2.0


class LifecycleClient:
    """One managed node, seen from outside."""

    def __init__(self, node: Node, name: str, ended: threading.Event | None = None) -> None:
        self.name = name
        self._ended = ended or threading.Event()
        self._node = node
        self._change: Client[Any, Any] = node.create_client(ChangeState, f'{name}/change_state')
        self._get: Client[Any, Any] = node.create_client(GetState, f'{name}/get_state')

    def state(self, timeout_s: float) -> str:
        """The node's lifecycle state; DeadlineError where it doesn't answer in time."""
        return str(call(self._get, GetState.Request(), timeout_s, self._ended).current_state.label)

    def transition(self, transition: int, timeout_s: float) -> None:
        """Takes the step, unless the node is already there; LoomError where it refuses or is too late."""
        start, end = STEPS[transition]
        deadline = time.monotonic() + timeout_s
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or self._ended.is_set():
                raise DeadlineError(f'{self.name} must {NAMES[transition]} within {timeout_s} s and did not; '
                                    f'see its output')
            try:
                state = self.state(min(left, ATTEMPT_S))
                if state == end or (transition == CONFIGURE and state == 'active'):
                    return
                if state == start:
                    self._step(transition, left)
                    return
            except DeadlineError:
                continue
            time.sleep(POLL_S)

    def ready(self) -> bool:
        """Whether both services are in the graph."""
        return bool(self._get.service_is_ready() and self._change.service_is_ready())

    def _step(self, transition: int, timeout_s: float) -> None:
        request = ChangeState.Request(transition=Transition(id=transition))
        if not call(self._change, request, timeout_s, self._ended).success:
            raise LoomError(f'{self.name} could not {NAMES[transition]}: see its error above or in /diagnostics')


def call(client: Client[Any, Any], request: Any, timeout_s: float, ended: threading.Event | None = None) -> Any:
    """The response of a service; DeadlineError where it isn't there, doesn't answer in time, or `ended` is set."""
    deadline = time.monotonic() + timeout_s
    ended = ended or threading.Event()
    while not client.service_is_ready():
        if time.monotonic() > deadline or ended.is_set():
            raise DeadlineError(f'{client.srv_name} was not served within {timeout_s:.1f} s')
        time.sleep(POLL_S)
    done = threading.Event()
    try:
        future = client.call_async(request)
    except InvalidHandle:
        raise DeadlineError(f'{client.srv_name} was not called: this node is ending') from None
    future.add_done_callback(lambda _: done.set())
    while not done.wait(min(ATTEMPT_S / 10, max(0.0, deadline - time.monotonic()))):
        if time.monotonic() < deadline and not ended.is_set():
            continue
        client.remove_pending_request(future)
        raise DeadlineError(f'{client.srv_name} did not answer within {timeout_s:.1f} s')
    return future.result()
