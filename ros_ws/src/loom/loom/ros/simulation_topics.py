"""What the simulated robot publishes, and how often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from builtin_interfaces.msg import Time
from nav_msgs.msg import Odometry
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import BatteryState, CameraInfo, Image, Imu, JointState, LaserScan
from std_msgs.msg import Bool
from tf2_msgs.msg import TFMessage

from loom.core.clock import NANOSECONDS, wall_ns
from loom.core.delivery import SENSOR, STANDARD, STATE, TRANSFORM
from loom.core.trace import published
from loom.ros import sim_convert as convert
from loom.ros.convert import ns_to_stamp, stamp_to_ns
from loom.ros.node import LoomNode
from loom.sim.simulation import CONTROL_S, Simulation

TICKS_PER_S = 1 / CONTROL_S


class SimulationTopics:
    """Publishes the clock at every tick and each sensor at least as often as the node's `<name>_rate_hz` asks."""

    def __init__(self, node: LoomNode, now: Callable[[], Time] | None) -> None:
        self._now = now
        self._clock = node.publisher(Clock, 'clock', SENSOR)
        self._scan = node.publisher(LaserScan, 'scan', SENSOR)
        self._odom = node.publisher(Odometry, 'odom', SENSOR)
        self._tf = node.publisher(TFMessage, 'tf', TRANSFORM)
        self._imu = node.publisher(Imu, 'imu/data_raw', SENSOR)
        self._joints = node.publisher(JointState, 'joint_states', SENSOR)
        self._rgb = node.publisher(Image, 'camera/front/image_raw', SENSOR)
        self._depth = node.publisher(Image, 'camera/front/depth/image_raw', SENSOR)
        self._info = node.publisher(CameraInfo, 'camera/front/camera_info', SENSOR)
        self._battery = node.publisher(BatteryState, 'battery_state', STANDARD)
        self._bumper = node.publisher(Bool, 'bumper', STATE)
        self._bumped: bool | None = None
        publish = {'odometry': self._body, 'scan': self._laser, 'camera': self._camera, 'battery': self._power}
        rates = {name: float(getattr(node.config, f'{name}_rate_hz')) for name in publish}
        self._schedule = [(max(1, int(TICKS_PER_S / rates[name] + 1e-9)), publish[name]) for name in publish]
        self.counts = dict.fromkeys(publish, 0)
        self._names = list(publish)

    def tick(self, simulation: Simulation, number: int) -> None:
        """Publishes what is due at this tick; runs on the simulation's thread."""
        time = ns_to_stamp(round(simulation.time_s * NANOSECONDS))
        self._clock.publish(Clock(clock=time))
        stamp = self._now() if self._now is not None else time
        for name, (period, publish) in zip(self._names, self._schedule):
            if number % period == 0:
                publish(simulation, stamp)
                self.counts[name] += 1
        if simulation.bumped != self._bumped:
            self._bumped = simulation.bumped
            self._bumper.publish(Bool(data=self._bumped))

    def figures(self) -> dict[str, str]:
        """How many of each were published, for diagnostics."""
        return {name: str(count) for name, count in self.counts.items()}

    def _body(self, simulation: Simulation, stamp: Time) -> None:
        odometry = simulation.odometry
        self._odom.publish(convert.odometry_message(odometry, stamp))
        moved = convert.transform(convert.ODOM, convert.BASE, convert.odometry_pose(odometry), stamp)
        self._tf.publish(TFMessage(transforms=[moved]))
        self._imu.publish(convert.imu_message(simulation.imu(), simulation.robot.imu.link, stamp))
        self._joints.publish(convert.joint_state_message(simulation.joint_states(), stamp))

    def _laser(self, simulation: Simulation, stamp: Time) -> None:
        self._scan.publish(convert.scan_message(simulation.scan(), simulation.robot.lidar, stamp))

    def _camera(self, simulation: Simulation, stamp: Time) -> None:
        wanted: list[Any] = [p for p in (self._rgb, self._depth) if p.get_subscription_count()]
        self._info.publish(convert.camera_info_message(simulation.robot.camera, stamp))
        if not wanted:
            return
        begin_ns = wall_ns()
        frame, optical = simulation.camera_frame(), simulation.robot.camera.optical_frame
        if self._rgb in wanted:
            self._rgb.publish(convert.image_message(frame.rgb, 'rgb8', optical, stamp))
            published('loom.camera.publish', self._rgb.topic_name, stamp_to_ns(stamp), optical, begin_ns)
        if self._depth in wanted:
            self._depth.publish(convert.image_message(frame.depth, '32FC1', optical, stamp))

    def _power(self, simulation: Simulation, stamp: Time) -> None:
        self._battery.publish(convert.battery_message(simulation.battery, stamp))
