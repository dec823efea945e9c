"""The 2D lidar: one ray cast for a whole turn."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from loom.sim.engine import mujoco
from loom.sim.mujoco_model import SOLID
from loom.sim.robot import Lidar


class Laser:
    """Casts a turn of rays in the lidar's plane; the robot's own body is not seen."""

    def __init__(self, model: Any, lidar: Lidar, robot_root: str, rng: np.random.Generator) -> None:
        self.lidar = lidar
        self._model, self._rng = model, rng
        self._body, self._own = model.body(lidar.link).id, model.body(robot_root).id
        angles = np.linspace(lidar.angle_min, lidar.angle_max, lidar.samples)
        self._rays = np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=1)
        self._groups = np.zeros(6, np.uint8)
        self._groups[SOLID] = 1
        self._geoms = np.zeros(lidar.samples, np.int32)
        self._ranges = np.zeros(lidar.samples)

    def scan(self, data: Any) -> npt.NDArray[np.float32]:
        """Ranges in metres, shape (samples,): inf where nothing is hit, -inf where it is too close (REP-117)."""
        turned = self._rays @ data.xmat[self._body].reshape(3, 3).T
        mujoco.mj_multiRay(self._model, data, data.xpos[self._body], turned.ravel(), self._groups, True, self._own,
                           self._geoms, self._ranges, None, self.lidar.samples, self.lidar.range_max)
        ranges = (self._ranges + self._rng.normal(0, self.lidar.noise_m, self._ranges.shape)).astype(np.float32)
        ranges[(self._geoms < 0) | (ranges > self.lidar.range_max)] = np.inf
        ranges[ranges < self.lidar.range_min] = -np.inf
        return ranges
