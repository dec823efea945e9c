"""Coloured objects: in drawn pictures, and in those that the simulator renders."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loom.sense.detect import detect
from loom.sense.pictures import lens_for

LENS = lens_for(320, 240, 1.2)
SIM = Path(__file__).resolve().parents[2] / 'sim'
COLOURS = {'red': (220, 20, 15), 'green': (20, 160, 40), 'blue': (20, 50, 200), 'yellow': (230, 220, 20),
           'orange': (240, 120, 10), 'purple': (140, 20, 180)}


def background() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal((150, 140, 130), 6, (240, 320, 3)).clip(0, 255).astype(np.uint8)


def with_ball(colour: str, u: float, v: float, radius: float) -> np.ndarray:
    pixels = background()
    rows, columns = np.mgrid[0:240, 0:320]
    distance = np.hypot(columns - u, rows - v)
    shade = (0.5 + 0.5 * np.sqrt(np.clip(1 - (distance / radius) ** 2, 0, 1)))[..., None]
    inside = distance <= radius
    pixels[inside] = (np.array(COLOURS[colour]) * shade[inside]).astype(np.uint8)
    return pixels


def with_box(colour: str, left: int, top: int, width: int, height: int) -> np.ndarray:
    pixels = background()
    pixels[max(0, top):top + height, max(0, left):left + width] = COLOURS[colour]
    return pixels


@pytest.mark.parametrize('colour', COLOURS)
def test_colours_have_names(colour: str) -> None:
    (seen,) = detect(with_ball(colour, 100, 120, 20), LENS)
    assert seen.label == f'{colour} ball' and seen.distance_m is None


@pytest.mark.parametrize(('size', 'shape'), [((40, 38), 'cube'), ((24, 44), 'cylinder'), ((50, 36), 'cube')])
def test_shapes_have_names(size: tuple[int, int], shape: str) -> None:
    (seen,) = detect(with_box('green', 120, 100, *size), LENS)
    assert seen.shape == shape


def test_left_is_positive() -> None:
    (left,), (right,) = detect(with_ball('red', 60, 120, 15), LENS), detect(with_ball('red', 260, 120, 15), LENS)
    assert left.bearing_rad == pytest.approx(math.atan(100 / LENS.fx), abs=0.01)
    assert right.bearing_rad == pytest.approx(-left.bearing_rad, abs=0.01)


def test_what_the_edge_cuts_has_no_shape() -> None:
    (seen,) = detect(with_box('blue', -10, 100, 40, 40), LENS)
    assert seen.label == 'blue object' and seen.confidence == 0.5


def test_distance_comes_from_depth() -> None:
    depth = np.full((240, 320), 3.0, np.float32)
    depth[90:150, 70:130] = 1.5
    depth[100, 100] = np.nan
    (seen,) = detect(with_ball('red', 100, 120, 20), LENS, depth)
    assert seen.distance_m == pytest.approx(1.5 / math.cos(seen.bearing_rad), rel=0.01)
    (unknown,) = detect(with_ball('red', 100, 120, 20), LENS, np.full((240, 320), np.inf, np.float32))
    assert unknown.data()['distance_m'] is None


def test_specks_shadows_and_dull_things_are_nothing() -> None:
    assert detect(background(), LENS) == []
    assert detect(np.zeros((240, 320, 3), np.uint8), LENS) == []
    assert detect(with_box('red', 100, 100, 3, 3), LENS) == []


def test_the_largest_is_first() -> None:
    pixels = with_ball('red', 60, 120, 12)
    pixels[50:110, 200:260] = COLOURS['green']
    assert [seen.colour for seen in detect(pixels, LENS)] == ['green', 'red']


@pytest.fixture(scope='module')
def home() -> Iterator[Any]:
    os.environ.setdefault('MUJOCO_GL', 'egl')
    pytest.importorskip('mujoco')
    from loom.sim.simulation import Simulation
    simulation = Simulation.load(SIM / 'robots' / 'loom_bot.urdf', SIM / 'worlds' / 'home.sdf')
    yield simulation
    simulation.close()


@pytest.mark.parametrize(('label', 'name', 'pose'), [
    ('red ball', 'red_ball', (2.15, 1.4, 0.0)), ('red ball', 'red_ball', (1.2, 1.4, 0.0)),
    ('green cube', 'green_cube', (-2.3, -1.15, -1.57)), ('green cube', 'green_cube', (-3.0, -1.4, -1.1)),
    ('blue cylinder', 'blue_cylinder', (1.75, -2.1, 0.0)), ('blue cylinder', 'blue_cylinder', (1.3, -2.3, 0.0))])
def test_the_objects_of_the_home_are_found_in_rendered_pictures(home: Any, label: str, name: str,
                                                                pose: tuple[float, float, float]) -> None:
    from loom.sim.pose import Pose
    x, y, yaw = pose
    robot = home.entities.state('loom_bot')
    home.entities.place('loom_bot', replace(robot, pose=Pose.from_rpy((x, y, 0.0), (0.0, 0.0, yaw))))
    home.step(5)
    frame, camera = home.camera_frame(), home.robot.camera
    seen = {s.label: s for s in detect(frame.rgb, lens_for(camera.width, camera.height, camera.horizontal_fov),
                                       frame.depth)}
    assert set(seen) == {label}
    there = home.entities.state(name).pose.position
    ahead, left = there[0] - x - 0.188 * math.cos(yaw), there[1] - y - 0.188 * math.sin(yaw)
    bearing = math.remainder(math.atan2(left, ahead) - yaw, math.tau)
    assert seen[label].bearing_rad == pytest.approx(bearing, abs=0.04)
    assert seen[label].distance_m == pytest.approx(math.hypot(ahead, left) - 0.12, abs=0.08)
