"""How far the robot can go along an arc before it meets something."""

from __future__ import annotations

import math

import numpy as np

from loom.act.body import Floats
from loom.guard.limits import Footprint

STRAIGHT_PER_M = 1e-3


def free_distance(points: Floats, direction: float, curvature: float, footprint: Footprint) -> float:
    """Metres along the arc of `curvature` (1/m, to the left) until the footprint meets a point; inf where none does.

    `points` is (n, 2) in base_link; `direction` is above 0 ahead, below 0 backwards. At or below 0: already too near.
    """
    if len(points) == 0:
        return math.inf
    sign = 1.0 if direction >= 0 else -1.0
    reach = (footprint.front_m if sign > 0 else footprint.rear_m) + footprint.margin_m
    half_width = footprint.half_width_m + footprint.margin_m
    ahead, side = points[:, 0] * sign, points[:, 1]
    if abs(curvature) < STRAIGHT_PER_M:
        travel = ahead[(np.abs(side) <= half_width) & (ahead > 0)] - reach
    else:
        radius = 1.0 / curvature
        distance = np.hypot(ahead, side - radius)
        # The outer corner swings wider than the side.
        outer = math.hypot(abs(radius) + half_width, reach)
        hit = (distance >= abs(radius) - half_width) & (distance <= outer) & (ahead > 0)
        angle = np.arctan2(ahead[hit], (radius - side[hit]) * math.copysign(1.0, radius))
        front = np.arcsin(np.minimum(reach / np.maximum(distance[hit], 1e-6), 1.0))
        travel = (angle - front) * abs(radius)
    return float(np.min(travel)) if len(travel) else math.inf


def safe_speed(free_m: float, braking_m_s2: float, latency_s: float) -> float:
    """The highest speed from which v^2/(2a) + v * latency is within `free_m`."""
    if free_m <= 0:
        return 0.0
    if math.isinf(free_m):
        return math.inf
    return braking_m_s2 * (math.sqrt(latency_s ** 2 + 2 * free_m / braking_m_s2) - latency_s)
