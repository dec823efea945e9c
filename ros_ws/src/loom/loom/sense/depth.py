"""The nearest thing in the robot's way, from a depth picture; the floor is not in the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loom.core.errors import ConfigError
from loom.sense.pictures import Depths, Lens


@dataclass(frozen=True)
class Mount:
    """How the camera sits on the robot: metres above the floor, radians that it looks down."""

    height_m: float
    pitch_rad: float = 0.0


@dataclass(frozen=True)
class Nearest:
    """Metres ahead of the camera to the nearest thing, and metres to its left."""

    ahead_m: float
    left_m: float


class Corridor:
    """What lies before the robot as wide and high as it is; the rays are computed once for a lens."""

    def __init__(self, lens: Lens, mount: Mount, *, width_m: float = 0.4, top_m: float = 0.4,
                 floor_m: float = 0.04, stride: int = 2) -> None:
        if stride < 1 or width_m <= 0 or top_m <= floor_m:
            raise ConfigError(f'a corridor needs stride >= 1, width_m > 0 and top_m > floor_m, got {stride}, '
                              f'{width_m}, {top_m}, {floor_m}')
        self._lens, self._mount, self._stride = lens, mount, stride
        self._half_m, self._top_m, self._floor_m = width_m / 2, top_m, floor_m
        self._shape: tuple[int, ...] = ()

    def nearest(self, depth: Depths) -> Nearest | None:
        """The nearest point in the corridor of depth (H, W) in metres (REP-118); None where there is none.

        NaN is unknown, +inf is free, -inf is nearer than the camera can measure and counts as touching.
        """
        some = depth[::self._stride, ::self._stride]
        if some.shape != self._shape:
            self._aim(some.shape)
        touching = some == -np.inf
        if np.count_nonzero(touching & self._central) >= 4:
            return Nearest(0.0, 0.0)
        known = np.where(np.isfinite(some) & (some > 0), some, np.float32(np.nan))
        return self._first(known * self._ahead, -known * self._right, self._mount.height_m - known * self._down)

    def _first(self, ahead: Depths, left: Depths, above: Depths) -> Nearest | None:
        with np.errstate(invalid='ignore'):
            # A small tilt lifts the far floor.
            inside = (above > self._floor_m + 0.015 * ahead) & (above < self._top_m) & (np.abs(left) < self._half_m)
        if np.count_nonzero(inside) < 4:
            return None
        distances = ahead[inside]
        # The fourth nearest, so that one wrong pixel is nothing.
        index = int(np.argpartition(distances, 3)[3])
        return Nearest(float(distances[index]), float(left[inside][index]))

    def _aim(self, shape: tuple[int, ...]) -> None:
        rows, columns = np.mgrid[0:shape[0], 0:shape[1]].astype(np.float32) * self._stride
        right, down = (columns - self._lens.cx) / self._lens.fx, (rows - self._lens.cy) / self._lens.fy
        cosine, sine = np.cos(self._mount.pitch_rad), np.sin(self._mount.pitch_rad)
        self._right = right.astype(np.float32)
        self._ahead = (cosine - down * sine).astype(np.float32)
        self._down = (sine + down * cosine).astype(np.float32)
        self._central: NDArray[np.bool_] = np.abs(right) < 0.3
        self._shape = shape
