"""supervisor: brings the robot's nodes up in order, down in reverse, and says how they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import Field

from loom.core.config import NodeConfig
from loom.ros.node import ERROR, OK, LoomNode, Part
from loom.ros.process import run
from loom.ros.supervisor_services import SupervisorServices


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
        self.trigger_configure()
        self.trigger_activate()

    def configure(self) -> None:
        """Prepares a client for each node and the services."""
        self._supervision = SupervisorServices(
            self, self.config.nodes, self.config.transition_timeout_s, self.config.health_period_s)

    def activate(self) -> None:
        """Starts the managed nodes, if that is wanted."""
        if self.config.autostart:
            self._supervision.start(self.config.exit_on_failure)

    def cleanup(self) -> None:
        """Ends the threads."""
        self._supervision.close()

    def diagnose(self) -> Iterable[Part]:
        """The mode and what went wrong."""
        failure = self._supervision.failure
        yield Part('mode', ERROR if failure else OK, failure or self._supervision.mode)


def main() -> None:
    """Runs the node."""
    run(Supervisor)


if __name__ == '__main__':
    main()
