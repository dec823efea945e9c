"""Follows a path: pure pursuit, with the arc that is freest of what the sensors see now."""

from __future__ import annotations

import math

import numpy as np

from loom.act.body import Floats, Pose2D
from loom.act.corridor import free_distance, safe_speed
from loom.act.surroundings import to_base
from loom.guard.limits import Footprint, Limits

LOOKAHEAD_M = 0.45
ARRIVED_M = 0.10
AIMED_RAD = 0.08
TURN_FIRST_RAD = 0.9
AIM_RAD = 0.3
BENDS = (0.0, 0.6, -0.6, 1.2, -1.2, 2.0, -2.0, 3.0, -3.0)
EXTRA_LATENCY_S = 0.15
TURN_GAIN = 2.5
CREEP_M_S = 0.03


class Follower:
    """Speeds that lead along one path to its end, and there to `yaw` where one is given."""

    def __init__(self, path: Floats, yaw: float | None, limits: Limits, footprint: Footprint) -> None:
        self.path = path
        self.left_m = math.inf
        self.arrived = False
        self.blocked = False
        self._yaw = yaw
        self._limits = limits
        self._footprint = footprint
        self._turning = False
        self._aiming = False
        self._at = 0
        self._lengths = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])

    def step(self, pose: Pose2D, points: Floats) -> tuple[float, float]:
        """(m/s, rad/s) for now; `points` are obstacles in base_link, (n, 2)."""
        self.blocked = False
        here = to_base(self.path, pose)
        self._advance(here)
        end_m = float(np.hypot(*here[-1]))
        if self._turning or end_m < ARRIVED_M:
            self._turning = True
            self.left_m = 0.0
            return 0.0, self._turn_to_end(pose)
        target = here[self._ahead()]
        bearing = math.atan2(target[1], target[0])
        if abs(bearing) > (AIM_RAD if self._aiming else TURN_FIRST_RAD):
            self._aiming = True
            return 0.0, self._turn_speed(bearing)
        self._aiming = False
        return self._pursue(target, end_m, points)

    def _advance(self, here: Floats) -> None:
        # Only a little back and forth: a path that passes itself is not cut short.
        low, high = max(self._at - 3, 0), self._at + 12
        self._at = low + int(np.argmin(np.hypot(*here[low:high].T)))
        self.left_m = float(self._lengths[-1] - self._lengths[self._at] + np.hypot(*here[self._at]))

    def _ahead(self) -> int:
        reach = self._lengths[self._at] + LOOKAHEAD_M
        return min(int(np.searchsorted(self._lengths, reach)), len(self.path) - 1)

    def _turn_to_end(self, pose: Pose2D) -> float:
        error = 0.0 if self._yaw is None else wrapped(self._yaw - pose.yaw)
        self.arrived = abs(error) < AIMED_RAD
        return 0.0 if self.arrived else self._turn_speed(error)

    def _turn_speed(self, error: float) -> float:
        most = self._limits.max_turn_rad_s * 0.8
        return math.copysign(min(max(TURN_GAIN * abs(error), 0.15), most), error)

    def _pursue(self, target: Floats, end_m: float, points: Floats) -> tuple[float, float]:
        best, motion = -math.inf, (0.0, 0.0)
        direct = 2.0 * float(target[1]) / max(float(target @ target), 1e-4)
        slow_m_s = math.sqrt(2 * 0.5 * self._limits.max_braking_m_s2 * end_m)
        near = points[np.hypot(points[:, 0], points[:, 1]) < 1.5] if len(points) else points
        for bend in BENDS:
            curvature = direct + bend
            speed = min(self._speed(near, curvature), slow_m_s)
            score = speed / self._limits.max_speed_m_s - 0.35 * abs(bend)
            if speed > CREEP_M_S and score > best:
                best, motion = score, (speed, speed * curvature)
        self.blocked = motion == (0.0, 0.0)
        return motion

    def _speed(self, points: Floats, curvature: float) -> float:
        free_m = free_distance(points, 1.0, curvature, self._footprint)
        safe = safe_speed(free_m, self._limits.max_braking_m_s2, self._limits.latency_s + EXTRA_LATENCY_S)
        turning = 0.8 * self._limits.max_turn_rad_s / max(abs(curvature), 1e-6)
        return min(self._limits.max_speed_m_s, safe, turning)


def wrapped(angle: float) -> float:
    """The angle in -pi..pi."""
    return math.atan2(math.sin(angle), math.cos(angle))
