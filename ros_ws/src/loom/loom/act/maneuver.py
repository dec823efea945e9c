"""The two simple motions: straight on for a distance, and round by an angle."""

from __future__ import annotations

import math

import numpy as np

from loom.act.body import Floats, Pose2D
from loom.act.corridor import free_distance, safe_speed
from loom.act.follower import wrapped
from loom.core.errors import CapabilityError
from loom.guard.limits import Footprint, Limits

NEAR_M = 0.02
AIMED_RAD = 0.04
BLOCKED_S = 3.0
SLOWEST_M_S = 0.03
SLOWEST_RAD_S = 0.12


class Straight:
    """Drives `distance_m` ahead (below 0: back) on the heading it starts with; CapabilityError when blocked."""

    def __init__(self, start: Pose2D, distance_m: float, speed_m_s: float, limits: Limits,
                 footprint: Footprint) -> None:
        self.arrived = False
        self._start = start
        self._distance_m = distance_m
        self._speed_m_s = min(abs(speed_m_s), limits.max_speed_m_s)
        self._limits = limits
        self._footprint = footprint
        self._blocked_since: float | None = None

    def step(self, pose: Pose2D, scan: Floats, relief: Floats, now_s: float) -> tuple[float, float]:
        """(m/s, rad/s) for now; `scan` and `relief` are points in base_link, (n, 2)."""
        c, s = math.cos(self._start.yaw), math.sin(self._start.yaw)
        done_m = (pose.x - self._start.x) * c + (pose.y - self._start.y) * s
        left_m = self._distance_m - done_m
        sign = 1.0 if self._distance_m >= 0 else -1.0
        if left_m * sign < NEAR_M:
            self.arrived = True
            return 0.0, 0.0
        free_m = free_distance(np.concatenate([scan, relief]), sign, 0.0, self._footprint)
        safe = safe_speed(free_m, self._limits.max_braking_m_s2, self._limits.latency_s + 0.15)
        stopping = math.sqrt(self._limits.max_braking_m_s2 * abs(left_m))
        speed = min(self._speed_m_s, safe, max(stopping, SLOWEST_M_S))
        self._watch(speed, abs(done_m), now_s)
        return sign * speed, 1.5 * wrapped(self._start.yaw - pose.yaw)

    def _watch(self, speed: float, done_m: float, now_s: float) -> None:
        if speed >= SLOWEST_M_S:
            self._blocked_since = None
        elif self._blocked_since is None:
            self._blocked_since = now_s
        elif now_s - self._blocked_since > BLOCKED_S:
            raise CapabilityError(f'something is in the way after {done_m:.2f} m of {abs(self._distance_m):.2f} m')


class Turn:
    """Turns by `angle_rad`, to the left above 0; more than half a turn is possible."""

    def __init__(self, start: Pose2D, angle_rad: float, limits: Limits) -> None:
        self.arrived = False
        self._left_rad = angle_rad
        self._yaw = start.yaw
        self._most = limits.max_turn_rad_s * 0.7
        self._slowing = limits.max_turn_acceleration_rad_s2 * 0.5

    def step(self, pose: Pose2D, scan: Floats, relief: Floats, now_s: float) -> tuple[float, float]:
        """(m/s, rad/s) for now; on the spot nothing is in the way."""
        self._left_rad -= wrapped(pose.yaw - self._yaw)
        self._yaw = pose.yaw
        if abs(self._left_rad) < AIMED_RAD:
            self.arrived = True
            return 0.0, 0.0
        speed = min(self._most, max(math.sqrt(self._slowing * abs(self._left_rad)) - 0.1, SLOWEST_RAD_S))
        return 0.0, math.copysign(speed, self._left_rad)
