"""The nearest thing ahead, from depth pictures of a floor with boxes on it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.core.errors import ConfigError
from loom.sense.depth import Corridor, Mount
from loom.sense.pictures import lens_for

LENS = lens_for(160, 120, 1.2)


def floor(mount: Mount) -> np.ndarray:
    """What a camera sees of an endless floor."""
    down = (np.mgrid[0:120, 0:160][0] - LENS.cy) / LENS.fy
    below = np.sin(mount.pitch_rad) + down * np.cos(mount.pitch_rad)
    with np.errstate(divide='ignore'):
        return np.where(below > 1e-6, mount.height_m / below, np.inf).astype(np.float32)


def with_wall(depth: np.ndarray, ahead_m: float, columns: slice = slice(None)) -> np.ndarray:
    walled = depth.copy()
    walled[:, columns] = np.minimum(walled[:, columns], np.float32(ahead_m))
    return walled


@given(st.floats(0.1, 1.0), st.floats(0.0, 0.5))
def test_the_floor_is_never_in_the_way(height_m: float, pitch_rad: float) -> None:
    mount = Mount(height_m, pitch_rad)
    assert Corridor(LENS, mount).nearest(floor(mount)) is None


@given(st.floats(0.2, 3.0))
def test_a_wall_is(ahead_m: float) -> None:
    nearest = Corridor(LENS, Mount(0.15)).nearest(with_wall(floor(Mount(0.15)), ahead_m))
    assert nearest is not None and nearest.ahead_m == pytest.approx(ahead_m, rel=0.02)


def test_what_stands_beside_the_way_is_not() -> None:
    corridor, depth = Corridor(LENS, Mount(0.15), width_m=0.4), floor(Mount(0.15))
    assert corridor.nearest(with_wall(depth, 1.0, slice(0, 40))) is None
    left = corridor.nearest(with_wall(depth, 1.0, slice(60, 75)))
    assert left is not None and left.left_m > 0


def test_unknown_is_not_near_and_too_near_is() -> None:
    corridor = Corridor(LENS, Mount(0.15))
    assert corridor.nearest(np.full((120, 160), np.nan, np.float32)) is None
    depth = floor(Mount(0.15))
    depth[50:60, 70:90] = -np.inf
    touching = corridor.nearest(depth)
    assert touching is not None and touching.ahead_m == 0.0


def test_one_wrong_pixel_is_nothing() -> None:
    depth = floor(Mount(0.15))
    depth[60, 80] = 0.2
    assert Corridor(LENS, Mount(0.15), stride=1).nearest(depth) is None


def test_the_size_may_change() -> None:
    corridor = Corridor(LENS, Mount(0.15))
    assert corridor.nearest(np.full((120, 160), 1.0, np.float32)) is not None
    assert corridor.nearest(np.full((60, 80), 1.0, np.float32)) is not None


def test_senseless_corridors_are_refused() -> None:
    with pytest.raises(ConfigError, match='stride >= 1'):
        Corridor(LENS, Mount(0.15), stride=0)
