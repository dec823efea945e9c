"""Where something is: a position in metres and a unit quaternion (w, x, y, z)."""

from __future__ import annotations

import math
from dataclasses import dataclass

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]


@dataclass(frozen=True)
class Pose:
    """A position in metres and an orientation as a unit quaternion (w, x, y, z)."""

    position: Vector = (0.0, 0.0, 0.0)
    orientation: Quaternion = (1.0, 0.0, 0.0, 0.0)

    @classmethod
    def from_rpy(cls, position: Vector, rpy: Vector) -> Pose:
        """The pose with fixed-axis roll, pitch and yaw in radians, as URDF and SDF write it."""
        return cls(position, from_rpy(*rpy))

    @property
    def yaw(self) -> float:
        """Heading about z in radians, in (-pi, pi]."""
        w, x, y, z = self.orientation
        return math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))

    def __matmul__(self, child: Pose) -> Pose:
        """The child's pose, given relative to this one, in this one's parent frame."""
        x, y, z = rotate(self.orientation, child.position)
        position = (self.position[0] + x, self.position[1] + y, self.position[2] + z)
        return Pose(position, multiply(self.orientation, child.orientation))

    def inverse(self) -> Pose:
        """The parent frame as seen from this pose."""
        w, x, y, z = self.orientation
        back = (w, -x, -y, -z)
        px, py, pz = rotate(back, self.position)
        return Pose((-px, -py, -pz), back)


def from_rpy(roll: float, pitch: float, yaw: float) -> Quaternion:
    """The quaternion of rotations about fixed x, then y, then z, in radians."""
    cr, sr = math.cos(roll / 2), math.sin(roll / 2)
    cp, sp = math.cos(pitch / 2), math.sin(pitch / 2)
    cy, sy = math.cos(yaw / 2), math.sin(yaw / 2)
    return (cr * cp * cy + sr * sp * sy, sr * cp * cy - cr * sp * sy,
            cr * sp * cy + sr * cp * sy, cr * cp * sy - sr * sp * cy)


def multiply(a: Quaternion, b: Quaternion) -> Quaternion:
    """The rotation b followed by a."""
    aw, ax, ay, az = a
    bw, bx, by, bz = b
    return (aw * bw - ax * bx - ay * by - az * bz, aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx, aw * bz + ax * by - ay * bx + az * bw)


def rotate(q: Quaternion, v: Vector) -> Vector:
    """The vector v turned by the unit quaternion q."""
    _, x, y, z = multiply(multiply(q, (0.0, *v)), (q[0], -q[1], -q[2], -q[3]))
    return (x, y, z)
