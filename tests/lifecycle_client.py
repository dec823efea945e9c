"""Asks nodes for lifecycle transitions from outside, as `ros2 lifecycle set` does, and asks again where DDS is late."""

from __future__ import annotations

import time
from typing import Any

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.client import Client
from rclpy.node import Node

from loom.core.errors import DeadlineError, LoomError
from loom.ros.service_call import call

CONFIGURE, ACTIVATE = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE
DEACTIVATE = Transition.TRANSITION_DEACTIVATE
STEPS = {CONFIGURE: ('unconfigured', 'inactive'), ACTIVATE: ('inactive', 'active'),
         DEACTIVATE: ('active', 'inactive')}
NAMES = {CONFIGURE: 'configure', ACTIVATE: 'activate', DEACTIVATE: 'deactivate'}
POLL_S = 0.02
# The first request to a fresh server can be lost: it is asked again, after a look at the state it has by then.
ATTEMPT_S = 2.0


class LifecycleClient:
    """One managed node, seen from outside."""

    def __init__(self, node: Node, name: str) -> None:
        self.name = name
        self._change: Client[Any, Any] = node.create_client(ChangeState, f'{name}/change_state')
        self._get: Client[Any, Any] = node.create_client(GetState, f'{name}/get_state')

    def state(self, timeout_s: float) -> str:
        """The node's lifecycle state; DeadlineError where it doesn't answer in time."""
        return str(call(self._get, GetState.Request(), timeout_s).current_state.label)

    def transition(self, transition: int, timeout_s: float) -> None:
        """Takes the step, unless the node is already there; LoomError where it refuses or is too late."""
        start, end = STEPS[transition]
        deadline = time.monotonic() + timeout_s
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise DeadlineError(f'{self.name} must {NAMES[transition]} within {timeout_s} s and did not')
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

    def _step(self, transition: int, timeout_s: float) -> None:
        request = ChangeState.Request(transition=Transition(id=transition))
        if not call(self._change, request, timeout_s).success:
            raise LoomError(f'{self.name} could not {NAMES[transition]}: see its error above or in /diagnostics')
