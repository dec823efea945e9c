"""What was seen near the robot in the last seconds: low things leave the camera's view before they are passed."""

from __future__ import annotations

import math

import numpy as np

from loom.act.body import Floats, Pose2D

KEPT_S = 6.0
NEAR_M = 1.5
MAX_POINTS = 400


class Surroundings:
    """Points in the map with the time they were seen; bounded in age, distance and number."""

    def __init__(self) -> None:
        self._points: Floats = np.zeros((0, 3))

    def see(self, points: Floats, pose: Pose2D, now_s: float) -> None:
        """Adds points of base_link, seen from `pose`."""
        seen = to_map(points[np.hypot(points[:, 0], points[:, 1]) < NEAR_M], pose)
        fresh = np.column_stack([seen, np.full(len(seen), now_s)])
        every = np.concatenate([fresh, self._points])
        near = np.hypot(every[:, 0] - pose.x, every[:, 1] - pose.y) < NEAR_M
        every = every[near & (now_s - every[:, 2] < KEPT_S)]
        cells = np.floor(every[:, :2] / 0.05).astype(np.int64)
        _, first = np.unique(cells, axis=0, return_index=True)
        self._points = every[np.sort(first)][:MAX_POINTS]

    def around(self, pose: Pose2D) -> Floats:
        """The points, (n, 2), in base_link."""
        return to_base(self._points[:, :2], pose)

    def in_map(self) -> Floats:
        """The points, (n, 2), in the map."""
        return self._points[:, :2]


def to_map(points: Floats, pose: Pose2D) -> Floats:
    """Points of base_link, (n, 2), in the map."""
    c, s = math.cos(pose.yaw), math.sin(pose.yaw)
    moved: Floats = points @ np.array([[c, s], [-s, c]]) + [pose.x, pose.y]
    return moved


def to_base(points: Floats, pose: Pose2D) -> Floats:
    """Points of the map, (n, 2), in base_link."""
    c, s = math.cos(pose.yaw), math.sin(pose.yaw)
    moved: Floats = (points - [pose.x, pose.y]) @ np.array([[c, -s], [s, c]])
    return moved


