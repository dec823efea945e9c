"""From a depth picture to the things on the floor that the robot could drive into."""

from __future__ import annotations

import numpy as np

from loom.act.body import Floats
from loom.sense.pictures import Depths, Lens

STRIDE = 4
FLOOR_M = 0.03
TALL_M = 0.30
FAR_M = 3.0


def obstacles(depth: Depths, lens: Lens, to_base: Floats) -> Floats:
    """Points (n, 2) in base_link between floor and robot height, nearer than 3 m.

    `depth` is (rows, columns) in metres along the optical axis (REP-118), every fourth pixel is used;
    `to_base` is the (4, 4) transform of the optical frame into base_link.
    """
    some = depth[::STRIDE, ::STRIDE].astype(np.float64)
    rows, columns = np.mgrid[0:depth.shape[0]:STRIDE, 0:depth.shape[1]:STRIDE]
    good = np.isfinite(some) & (some > 0.0) & (some < FAR_M)
    z = some[good]
    x, y = (columns[good] - lens.cx) / lens.fx * z, (rows[good] - lens.cy) / lens.fy * z
    seen = np.column_stack([x, y, z]) @ to_base[:3, :3].T + to_base[:3, 3]
    # Far floor is seen at a flat angle, where a small tilt lifts it.
    floor = FLOOR_M + 0.02 * seen[:, 0]
    points: Floats = seen[(seen[:, 2] > floor) & (seen[:, 2] < TALL_M), :2]
    return thinned(points)


def thinned(points: Floats, cell_m: float = 0.04) -> Floats:
    """At most one point for each cell of the plane."""
    if len(points) == 0:
        return points
    _, kept = np.unique(np.floor(points / cell_m).astype(np.int64) @ np.array([1_000_003, 1]), return_index=True)
    return points[np.sort(kept)]
