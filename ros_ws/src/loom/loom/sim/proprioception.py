"""What the robot feels of itself: inertial unit, wheels, bumper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from loom.sim.mujoco_model import SOLID
from loom.sim.pose import Quaternion, Vector, from_rpy
from loom.sim.robot import Imu, Robot


@dataclass(frozen=True)
class ImuReading:
    """Orientation of the base, turning rates in rad/s and accelerations in m/s^2, gravity included."""

    orientation: Quaternion
    angular_velocity: Vector
    linear_acceleration: Vector


@dataclass(frozen=True)
class JointStates:
    """Angles in rad, speeds in rad/s and torques in N m of the joints named."""

    names: tuple[str, ...]
    positions: tuple[float, ...]
    velocities: tuple[float, ...]
    efforts: tuple[float, ...]


class Inertial:
    """The noisy gyro and accelerometer."""

    def __init__(self, imu: Imu, root: str, rng: np.random.Generator) -> None:
        self._imu, self._root, self._rng = imu, root, rng

    def turn_rate(self, data: Any) -> float:
        """The gyro's reading about z in rad/s."""
        return float(data.sensor('gyro').data[2] + self._rng.normal(0, self._imu.gyro_noise_rad_s))

    def read(self, data: Any, heading: float) -> ImuReading:
        """A full reading; the heading in rad is given, as nothing absolute measures it."""
        noise = self._rng.normal(0, 1, 6)
        gyro = data.sensor('gyro').data + noise[:3] * self._imu.gyro_noise_rad_s
        acceleration = data.sensor('accelerometer').data + noise[3:] * self._imu.acceleration_noise_m_s2
        roll, pitch = _tilt(data.body(self._root).xmat)
        return ImuReading(from_rpy(roll, pitch, heading), tuple(gyro.tolist()), tuple(acceleration.tolist()))


def _tilt(matrix: Any) -> tuple[float, float]:
    """Roll and pitch in rad of a rotation matrix given as nine numbers."""
    return float(np.arctan2(matrix[7], matrix[8])), float(-np.arcsin(np.clip(matrix[6], -1, 1)))


class Wheels:
    """The two driven joints: their motors and encoders."""

    def __init__(self, model: Any, robot: Robot) -> None:
        self._names = (robot.drive.left_joint, robot.drive.right_joint)
        joints = [model.joint(name).id for name in self._names]
        self._angles, self._speeds = model.jnt_qposadr[joints], model.jnt_dofadr[joints]
        self._motors = [model.actuator(name).id for name in self._names]

    def angles(self, data: Any) -> tuple[float, float]:
        """The left and right wheel's angle in rad."""
        left, right = data.qpos[self._angles].tolist()
        return left, right

    def drive(self, data: Any, left_rad_s: float, right_rad_s: float) -> None:
        """Sets the speeds that the motors hold."""
        data.ctrl[self._motors] = (left_rad_s, right_rad_s)

    def power(self, data: Any) -> float:
        """Mechanical watts of both motors."""
        return float(np.abs(data.actuator_force[self._motors] * data.qvel[self._speeds]).sum())

    def states(self, data: Any) -> JointStates:
        """Angles, speeds and torques."""
        return JointStates(self._names, tuple(data.qpos[self._angles].tolist()),
                           tuple(data.qvel[self._speeds].tolist()), tuple(data.actuator_force[self._motors].tolist()))


class Bumper:
    """Notices contacts of the body's shell; wheels and casters don't count."""

    def __init__(self, model: Any, root: str) -> None:
        body = model.body(root)
        first, count = int(body.geomadr[0]), int(body.geomnum[0])
        self._shell = [geom for geom in range(first, first + count) if model.geom_group[geom] == SOLID]
        self.pressed = False

    def feel(self, data: Any) -> None:
        """Remembers whether the shell touches anything now."""
        self.pressed = bool(np.isin(data.contact.geom, self._shell).any())
