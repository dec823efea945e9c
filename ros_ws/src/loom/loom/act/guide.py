"""Takes the robot to a goal: plans, follows, and when something is in the way backs off and plans round it."""

from __future__ import annotations

import math

import numpy as np

from loom.act.body import Floats, Grid, Pose2D
from loom.act.corridor import free_distance
from loom.act.follower import Follower
from loom.act.planner import field_of, mark, plan
from loom.act.surroundings import Surroundings, to_map
from loom.core.errors import CapabilityError
from loom.guard.limits import Footprint, Limits

PLAN_MARGIN_M = 0.03
BLOCKED_S = 1.0
STUCK_S = 6.0
STUCK_M = 0.05
BACK_M = 0.25
BACK_M_S = 0.15
BACK_S = 3.0
MAX_DETOURS = 5


class Guide:
    """step() gives the speeds for now, until `arrived`; CapabilityError when it gives up. Times in seconds."""

    def __init__(self, grid: Grid, goal: tuple[float, float, float | None], limits: Limits,
                 footprint: Footprint) -> None:
        self.detours = 0
        self._grid = grid
        self._goal = goal
        self._limits = limits
        self._footprint = footprint
        self._near = Surroundings()
        self._follower: Follower | None = None
        self._free_s = 0.0
        self._best_m = math.inf
        self._best_s = 0.0
        self._back_from: tuple[Pose2D, float] | None = None

    @property
    def arrived(self) -> bool:
        """Whether the goal is reached and faced."""
        return self._follower is not None and self._follower.arrived

    @property
    def path(self) -> Floats:
        """The way as planned last, (n, 2) in the map."""
        return np.zeros((0, 2)) if self._follower is None else self._follower.path

    @property
    def left_m(self) -> float:
        """Metres still to go."""
        return math.inf if self._follower is None else self._follower.left_m

    def prepare(self, pose: Pose2D, now_s: float) -> None:
        """Plans from here; takes some tenths of a second, so not for the control loop."""
        radius = self._footprint.half_width_m + self._footprint.margin_m + PLAN_MARGIN_M
        x, y, yaw = self._goal
        try:
            path = plan(field_of(self._grid), (pose.x, pose.y), (x, y), radius)
        except CapabilityError:
            if not self.detours:
                raise
            # Round corners the robot only just fits; what it sees while driving keeps it clear.
            path = plan(field_of(self._grid), (pose.x, pose.y), (x, y), radius - PLAN_MARGIN_M)
        self._follower = Follower(path, yaw, self._limits, self._footprint)
        self._free_s = self._best_s = now_s
        self._best_m, self._back_from = math.inf, None

    @property
    def ready(self) -> bool:
        """Whether there is a plan; prepare() makes one."""
        return self._follower is not None

    def step(self, pose: Pose2D, scan: Floats, relief: Floats, now_s: float) -> tuple[float, float]:
        """(m/s, rad/s) for now; `scan` and `relief` are points in base_link, (n, 2)."""
        self._near.see(relief, pose, now_s)
        points = np.concatenate([scan, self._near.around(pose)])
        if self._follower is None:
            return 0.0, 0.0
        if self._back_from is not None:
            return self._back_off(pose, points, now_s)
        motion = self._follower.step(pose, points)
        if self._follower.left_m < self._best_m - STUCK_M or self._follower.left_m == 0.0:
            self._best_m, self._best_s = self._follower.left_m, now_s
        if not self._follower.blocked:
            self._free_s = now_s
        if now_s - self._free_s > BLOCKED_S or now_s - self._best_s > STUCK_S:
            self._detour(pose, scan, now_s)
            return 0.0, 0.0
        return motion

    def _detour(self, pose: Pose2D, scan: Floats, now_s: float) -> None:
        self.detours += 1
        if self.detours > MAX_DETOURS:
            raise CapabilityError(f'the way is blocked near ({pose.x:.2f}, {pose.y:.2f}) and {MAX_DETOURS} detours '
                                  f'did not help, {self.left_m:.1f} m before the goal; clear the way')
        near = scan[np.hypot(scan[:, 0], scan[:, 1]) < 2.0] if len(scan) else scan
        self._grid = mark(self._grid, np.concatenate([to_map(near, pose), self._near.in_map()]))
        self._back_from = (pose, now_s)

    def _back_off(self, pose: Pose2D, points: Floats, now_s: float) -> tuple[float, float]:
        start, began_s = self._back_from or (pose, now_s)
        moved_m = math.hypot(pose.x - start.x, pose.y - start.y)
        room_m = free_distance(points, -1.0, 0.0, self._footprint)
        if moved_m >= BACK_M or room_m < 0.1 or now_s - began_s > BACK_S:
            self._follower = None
            return 0.0, 0.0
        return -BACK_M_S, 0.0
