"""Depth pictures as obstacles on the floor."""

from __future__ import annotations

import numpy as np
import pytest

from loom.act.relief import obstacles, thinned
from loom.sense.pictures import Lens

LENS = Lens(234.0, 234.0, 159.5, 119.5)
# The optical frame (z ahead, x right, y down) at 0.15 m height, 0.19 m before the axle.
TO_BASE = np.array([[0, 0, 1, 0.19], [-1, 0, 0, 0], [0, -1, 0, 0.15], [0, 0, 0, 1]], dtype=np.float64)


def floor() -> np.ndarray:
    """Depths (240, 320) of an empty floor."""
    down = (np.arange(240) - LENS.cy) / LENS.fy
    depth = np.where(down > 0, 0.15 / np.maximum(down, 1e-9), np.inf)
    return np.repeat(depth[:, None], 320, axis=1).astype(np.float32)


def test_the_floor_is_no_obstacle() -> None:
    assert len(obstacles(floor(), LENS, TO_BASE)) == 0


def test_a_low_box_is_seen_where_it_is() -> None:
    depth = floor()
    depth[130:190, 150:170] = np.minimum(depth[130:190, 150:170], 0.6)
    points = obstacles(depth, LENS, TO_BASE)
    assert len(points) > 0
    assert points[:, 0] == pytest.approx(0.79, abs=0.01)
    assert np.abs(points[:, 1]).max() < 0.05


@pytest.mark.parametrize('nothing', [np.nan, np.inf, -np.inf, 0.0, -1.0])
def test_what_is_no_distance_is_no_obstacle(nothing: float) -> None:
    assert len(obstacles(np.full((240, 320), nothing, np.float32), LENS, TO_BASE)) == 0


def test_what_is_above_the_robot_is_no_obstacle() -> None:
    depth = np.full((240, 320), np.inf, np.float32)
    depth[:40] = 1.0
    assert len(obstacles(depth, LENS, TO_BASE)) == 0


def test_thinning_keeps_one_point_a_cell() -> None:
    points = np.array([[0.01, 0.01], [0.02, 0.02], [0.5, -0.3], [-0.5, 0.3]])
    assert len(thinned(points)) == 3
