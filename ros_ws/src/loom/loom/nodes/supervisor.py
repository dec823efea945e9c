"""supervisor: brings the robot's nodes up in order, down in reverse, and says how they are."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from threading import Event as Flag
from typing import Any

from loom_msgs.msg import Health
from loom_msgs.srv import ManageNodes, SetMode
from pydantic import Field
from std_srvs.srv import Trigger

from loom.core.config import NodeConfig
from loom.core.delivery import STATE
from loom.core.errors import LoomError
from loom.ros.lifecycle import LifecycleClient
from loom.ros.node import ERROR, OK, LoomNode, Part
from loom.ros.process import run
from loom.ros.supervision import Supervision
from loom.ros.supervisor_services import NODE_FAILED, command, health_message, mode
from loom.ros.worker import Worker


class SupervisorConfig(NodeConfig):
    """Settings of the supervisor."""

    nodes: tuple[str, ...] = Field((), description='Managed nodes in start order.')
    autostart: bool = Field(True, description='Start the nodes without being asked.')
    transition_timeout_s: float = Field(20.0, gt=0, le=300, description='One transition of one node, at most.')
    health_period_s: float = Field(2.0, ge=0.2, le=60, description='Between two looks at the states.')
    exit_on_failure: bool = Field(True, description='End, and with it the launch, when the start fails.')


class Supervisor(LoomNode):
    """Manages the others; the only node that brings itself up."""

    Config = SupervisorConfig
    config: SupervisorConfig

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._failure = ''
        self.trigger_configure()
        self.trigger_activate()

    def configure(self) -> None:
        """Prepares a client for each node and the services."""
        self._ended = Flag()
        clients = [LifecycleClient(self, name, self._ended) for name in self.config.nodes]
        self._supervision = Supervision(clients, self.config.transition_timeout_s, self.get_logger().info)
        self._worker, self._watcher = Worker(self, 'supervision'), Worker(self, 'watch')
        self._report = self.publisher(Health, 'loom/health', STATE)
        self.serve(ManageNodes, 'supervisor/manage_nodes', self._manage)
        self.serve(SetMode, 'supervisor/set_mode', self._set_mode)
        self.serve(Trigger, 'supervisor/is_active', self._is_active)
        self.every(self.config.health_period_s, lambda: self._watcher.submit(self._look), steady=True)

    def activate(self) -> None:
        """Starts the managed nodes, if that is wanted."""
        if self.config.autostart:
            self._worker.submit(self._start)

    def cleanup(self) -> None:
        """Ends the threads."""
        self._ended.set()
        self._worker.close()
        self._watcher.close()

    def _start(self) -> None:
        try:
            self._supervision.startup()
        except LoomError as error:
            self._failure = str(error)
            self.get_logger().error(f'the robot does not come up: {error}')
            if self.config.exit_on_failure:
                os.kill(os.getpid(), signal.SIGTERM)
        self._look()

    def _look(self) -> None:
        states = self._supervision.states()
        self._report.publish(
            health_message(self._supervision.mode, states, self._failure, self.get_clock().now().to_msg()))

    async def _manage(self, request: Any, response: Any) -> Any:
        return await self._obey(command(self._supervision, request.command), response)

    async def _set_mode(self, request: Any, response: Any) -> Any:
        return await self._obey(mode(self._supervision, request.mode), response)

    async def _obey(self, order: Callable[[], None], response: Any) -> Any:
        try:
            await self._worker.submit(order)
            self._failure, response.success = '', True
        except LoomError as error:
            self._failure, response.success = str(error), False
            response.error_code, response.error_msg = error.code or NODE_FAILED, str(error)
        self._watcher.submit(self._look)
        return response

    def _is_active(self, request: Any, response: Any) -> Any:
        response.success = self._supervision.mode == 'active'
        response.message = self._failure or self._supervision.mode
        return response

    def diagnose(self) -> Iterable[Part]:
        """The mode and what went wrong."""
        yield Part('mode', ERROR if self._failure else OK, self._failure or self._supervision.mode)


def main() -> None:
    """Runs the node."""
    run(Supervisor)
