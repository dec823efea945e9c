"""Requests to the supervisor as calls on the supervision, and its state as messages."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from threading import Event as Flag
from typing import Any

from builtin_interfaces.msg import Time
from loom_msgs.msg import Health
from loom_msgs.srv import ManageNodes, SetMode
from rclpy.exceptions import InvalidHandle
from std_srvs.srv import Trigger

from loom.core.delivery import STATE
from loom.core.errors import LoomError
from loom.ros.lifecycle import LifecycleClient
from loom.ros.node import LoomNode
from loom.ros.supervision import Supervision
from loom.ros.worker import Worker

UNKNOWN_COMMAND, NODE_FAILED = 1, 2


def command(supervision: Supervision, number: int) -> Callable[[], None]:
    """The call that a ManageNodes command asks for; LoomError for a number that is none."""
    calls = {
        ManageNodes.Request.STARTUP: supervision.startup, ManageNodes.Request.PAUSE: supervision.pause,
        ManageNodes.Request.RESUME: supervision.resume, ManageNodes.Request.RESET: supervision.reset,
        ManageNodes.Request.SHUTDOWN: supervision.shutdown, ManageNodes.Request.CONFIGURE: supervision.configure,
        ManageNodes.Request.CLEANUP: supervision.reset}
    if number not in calls:
        raise LoomError(f'command must be one of 0..{max(calls)}, got {number}', UNKNOWN_COMMAND)
    return calls[number]


def mode(supervision: Supervision, name: str) -> Callable[[], None]:
    """The call that brings the robot into a mode; LoomError for an unknown one."""
    calls = {'active': supervision.resume, 'paused': supervision.pause}
    if name not in calls:
        raise LoomError(f'mode must be one of {", ".join(calls)}, got {name!r}', UNKNOWN_COMMAND)
    return calls[name]


def health_message(mode_name: str, states: dict[str, str], failure: str, stamp: Time) -> Health:
    """The observed states of the managed nodes, with the worst of them as the level."""
    message = Health(stamp=stamp, mode=mode_name, nodes=list(states), states=list(states.values()))
    wrong = [f'{node} is {state}' for node, state in states.items() if state != 'active']
    if mode_name == 'active' and wrong:
        message.level = Health.DOWN if any(s == 'unknown' for s in states.values()) else Health.DEGRADED
    elif mode_name != 'active':
        message.level = Health.DOWN if failure else Health.DEGRADED
    message.message = failure or (', '.join(wrong) if mode_name == 'active' else mode_name)
    return message


class SupervisorServices:
    """Carries out requests one after the other in a thread, and reports what it observes."""

    def __init__(self, node: LoomNode, managed: tuple[str, ...], timeout_s: float, report_every_s: float) -> None:
        self.failure = ''
        self._node = node
        self._ended = Flag()
        clients = [LifecycleClient(node, name, self._ended) for name in managed]
        self._supervision = Supervision(clients, timeout_s, node.get_logger().info)
        self._worker, self._watcher = Worker(node, 'supervision'), Worker(node, 'watch')
        self._report = node.publisher(Health, 'loom/health', STATE)
        node.serve(ManageNodes, 'supervisor/manage_nodes', self._manage)
        node.serve(SetMode, 'supervisor/set_mode', self._set_mode)
        node.serve(Trigger, 'supervisor/is_active', self._is_active)
        node.every(report_every_s, lambda: self._watcher.submit(self._look), steady=True)

    @property
    def mode(self) -> str:
        """stopped, starting, active or paused."""
        return self._supervision.mode

    def start(self, exit_on_failure: bool) -> None:
        """Starts the managed nodes; where that fails, ends this process and with it the launch, if wanted."""
        self._worker.submit(lambda: self._start(exit_on_failure))

    def close(self) -> None:
        """Ends the threads and what they wait for."""
        self._ended.set()
        self._worker.close()
        self._watcher.close()

    def _start(self, exit_on_failure: bool) -> None:
        try:
            self._supervision.startup()
        except LoomError as error:
            if self._ended.is_set():
                return
            self.failure = str(error)
            self._node.get_logger().error(f'the robot does not come up: {error}')
        self._look()
        if self.failure and exit_on_failure:
            os.kill(os.getpid(), signal.SIGTERM)

    def _look(self) -> None:
        try:
            states = self._supervision.states()
            stamp = self._node.get_clock().now().to_msg()
            self._report.publish(health_message(self.mode, states, self.failure, stamp))
        except InvalidHandle:
            # The node ended meanwhile, and nobody is left to read the report.
            return

    async def _manage(self, request: Any, response: Any) -> Any:
        return await self._obey(command(self._supervision, request.command), response)

    async def _set_mode(self, request: Any, response: Any) -> Any:
        return await self._obey(mode(self._supervision, request.mode), response)

    async def _obey(self, order: Callable[[], None], response: Any) -> Any:
        try:
            await self._worker.submit(order)
            self.failure, response.success = '', True
        except LoomError as error:
            self.failure, response.success = str(error), False
            response.error_code, response.error_msg = error.code or NODE_FAILED, str(error)
        self._watcher.submit(self._look)
        return response

    def _is_active(self, request: Any, response: Any) -> Any:
        response.success = self.mode == 'active'
        response.message = self.failure or self.mode
        return response
