"""simulator: the world and the robot in MuJoCo, with the topics of the real robot and simulation_interfaces."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from loom.core.config import NodeConfig
from loom.ros.node import LoomNode, Part
from loom.ros.process import run
from loom.ros.simulation_run import begin, obey, pace
from loom.ros.simulation_services import SimulationServices
from loom.ros.simulation_topics import SimulationTopics
from loom.sim.runner import Runner


class SimulatorConfig(NodeConfig):
    """Settings of the simulator."""

    world: str = Field('home', description='Name in sim/worlds or path of an SDF file.')
    robot: str = Field('loom_bot', description='Name in sim/robots or path of a URDF file.')
    seed: int = Field(0, ge=0, le=2**31 - 1, description='Of all sensor noise.')
    speed: float = Field(1.0, gt=0, le=10, description='Simulated seconds a second.')
    camera_rate_hz: float = Field(15.0, gt=0, le=50, description='Colour and depth pictures a second, at least.')
    scan_rate_hz: float = Field(10.0, gt=0, le=50, description='Turns of the lidar a second, at least.')
    odometry_rate_hz: float = Field(50.0, gt=0, le=100, description='Odometry, tf, IMU and joints a second, at least.')
    battery_rate_hz: float = Field(1.0, gt=0, le=10, description='States of the battery a second, at least.')
    resume: str = Field('', description='File that keeps the world, to go on after a kill; empty: none.')


class Simulator(LoomNode):
    """The world runs in a thread of its own by the monotonic clock; /clock is what it makes, not what it follows."""

    Config = SimulatorConfig
    config: SimulatorConfig
    _runner: Runner | None = None

    def configure(self) -> None:
        """Loads world and robot."""
        follows_clock = self.get_parameter('use_sim_time').value
        now = None if follows_clock else lambda: self.get_clock().now().to_msg()
        self._topics = SimulationTopics(self, now)
        self._runner = begin(self, self._topics.tick)
        SimulationServices(self, self._runner)
        obey(self, self._runner)

    def activate(self) -> None:
        """The world begins to move."""
        self._runner.start()

    def deactivate(self) -> None:
        """The world stands still."""
        self._runner.stop()

    def cleanup(self) -> None:
        """The world stays in its file."""
        if self._runner is not None:
            self._runner.close()

    def fault(self) -> str:
        """What ended the world's thread."""
        return self._runner.failure if self._runner is not None else ''

    def diagnose(self) -> Iterable[Part]:
        """How fast the world runs, and what it published."""
        yield pace(self._runner, self.config.speed, self._topics.figures())


def main() -> None:
    """Runs the node."""
    run(Simulator)


if __name__ == '__main__':
    main()
