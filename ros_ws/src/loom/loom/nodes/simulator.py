"""simulator: the world and the robot in MuJoCo, with the topics of the real robot and simulation_interfaces."""

from __future__ import annotations

from collections.abc import Iterable

from geometry_msgs.msg import Twist
from pydantic import Field

from loom.core.config import NodeConfig
from loom.core.delivery import COMMAND
from loom.ros.node import ERROR, OK, WARN, LoomNode, Part
from loom.ros.process import run
from loom.ros.sim_files import robot_path, world_path
from loom.ros.simulation_services import SimulationServices
from loom.ros.simulation_topics import SimulationTopics
from loom.sim.base import check_velocity
from loom.sim.runner import PLAYING, Runner
from loom.sim.simulation import Simulation


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


class Simulator(LoomNode):
    """The world runs in a thread of its own by the monotonic clock; /clock is what it makes, not what it follows."""

    Config = SimulatorConfig
    config: SimulatorConfig

    def configure(self) -> None:
        """Loads world and robot."""
        simulation = Simulation.load(robot_path(self.config.robot), world_path(self.config.world),
                                     self.config.seed)
        follows_clock = self.get_parameter('use_sim_time').value
        now = None if follows_clock else lambda: self.get_clock().now().to_msg()
        self._topics = SimulationTopics(self, now)
        self._runner = Runner(simulation, self._topics.tick, self.config.speed)
        SimulationServices(self, self._runner)
        self.subscribe(Twist, 'cmd_vel', self._on_command, COMMAND)

    def activate(self) -> None:
        """The world begins to move."""
        self._runner.start()

    def deactivate(self) -> None:
        """The world stands still."""
        self._runner.stop()

    def _on_command(self, command: Twist) -> None:
        check_velocity(speed := command.linear.x, turn := command.angular.z)
        self._runner.submit(lambda simulation: simulation.command(speed, turn))

    def diagnose(self) -> Iterable[Part]:
        """How fast the world runs, and what it published."""
        failure, factor = self._runner.failure, self._runner.real_time_factor
        slow = self._runner.state == PLAYING and 0 < factor < 0.9 * self.config.speed
        message = failure or ('the machine is too slow for this world' if slow else '')
        values = {'real_time_factor': f'{factor:.3f}', **self._topics.figures()}
        yield Part('simulation', ERROR if failure else WARN if slow else OK, message, values)


def main() -> None:
    """Runs the node."""
    run(Simulator)


if __name__ == '__main__':
    main()
