"""supervisor: the robot's processes and modes, as ROS sees them: services, health, diagnostics."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from loom.core.config import NodeConfig
from loom.core.errors import ConfigError
from loom.ros.node import LoomNode, Part
from loom.ros.process import run
from loom.ros.supervisor_services import SupervisorServices
from loom.supervise.link import link


class SupervisorConfig(NodeConfig):
    """Settings of the supervisor; what it supervises is in config/processes.yaml."""

    order_timeout_s: float = Field(30.0, gt=0, le=300, description='An order of the services takes this long at most.')
    health_period_s: float = Field(2.0, ge=0.2, le=60, description='Between two reports where nothing changes.')


class Supervisor(LoomNode):
    """Speaks for the keeper, which is no ROS node and so can't be taken down by one."""

    Config = SupervisorConfig
    config: SupervisorConfig

    def configure(self) -> None:
        """The services and the report."""
        line = link()
        if line is None:
            raise ConfigError('supervisor speaks for the keeper, and none has started it: use ros2 launch')
        self._supervision = SupervisorServices(self, line, self.config.order_timeout_s, self.config.health_period_s)

    def cleanup(self) -> None:
        """Ends the thread."""
        self._supervision.close()

    def diagnose(self) -> Iterable[Part]:
        """The mode, and which nodes had to be started again."""
        return self._supervision.parts()


def main() -> None:
    """Runs the node."""
    run(Supervisor)


if __name__ == '__main__':
    main()
