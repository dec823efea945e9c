"""A robot as plain values: links, joints, drive and sensors, as every simulator and the transforms need them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from loom.sim.pose import Pose, Vector


@dataclass(frozen=True)
class Joint:
    """What connects two links: the child's pose in the parent, and the axis it moves about or along."""

    name: str
    type: str
    parent: str
    child: str
    origin: Pose
    axis: Vector = (1.0, 0.0, 0.0)

    def at(self, position: float) -> Pose:
        """The child's pose in its parent when the joint is at `position`, in radians or metres."""
        if self.type == 'fixed':
            return self.origin
        x, y, z = self.axis
        if self.type == 'prismatic':
            return self.origin @ Pose((x * position, y * position, z * position))
        half = math.sin(position / 2) / math.sqrt(x * x + y * y + z * z)
        return self.origin @ Pose((0.0, 0.0, 0.0), (math.cos(position / 2), x * half, y * half, z * half))


@dataclass(frozen=True)
class Drive:
    """A differential drive: metres, m/s, rad/s, m/s^2, rad/s^2."""

    left_joint: str
    right_joint: str
    separation_m: float
    radius_m: float
    max_speed_m_s: float
    max_turn_rad_s: float
    max_acceleration_m_s2: float
    max_turn_acceleration_rad_s2: float


@dataclass(frozen=True)
class Lidar:
    """A 2D lidar in the frame `link`: angles in radians, ranges in metres."""

    link: str
    samples: int
    angle_min: float
    angle_max: float
    range_min: float
    range_max: float
    noise_m: float


@dataclass(frozen=True)
class Camera:
    """An RGB-D camera that looks along x of the frame `link`; pixels, radians, metres."""

    link: str
    optical_frame: str
    width: int
    height: int
    horizontal_fov: float
    near_m: float
    far_m: float


@dataclass(frozen=True)
class Imu:
    """An inertial unit in the frame `link`, with the standard deviations of its noise."""

    link: str
    gyro_noise_rad_s: float
    acceleration_noise_m_s2: float


@dataclass(frozen=True)
class Skeleton:
    """Links and joints of a URDF file; `text` is the file itself, for `robot_description`."""

    name: str
    text: str
    links: tuple[str, ...]
    joints: tuple[Joint, ...]

    @property
    def root(self) -> str:
        """The link that is no joint's child."""
        children = {joint.child for joint in self.joints}
        return next(link for link in self.links if link not in children)


@dataclass(frozen=True)
class Robot(Skeleton):
    """A skeleton with what it drives and senses by; `friction` is for each link that states one."""

    friction: dict[str, float]
    drive: Drive
    lidar: Lidar
    camera: Camera
    imu: Imu
