"""The map shows what stands on the floor, and the robot fits through every door."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.core.errors import ConfigError
from loom.sim.occupancy import FREE, OCCUPIED, UNKNOWN, Grid, rasterise
from loom.sim.pose import Pose
from loom.sim.shape import Geometry, Link, Model, Shape, World

ROBOT_RADIUS_M = 0.24


def box(name: str, pose: Pose, size: tuple[float, float, float], static: bool = True) -> Model:
    shape = Shape('s', Pose(), Geometry('box', size), collides=True)
    return Model(name, pose, static, (Link('l', Pose(), (shape,)),))


def room(*things: Model) -> World:
    walls = [box(f'wall_{i}', Pose((x, y, 0.5)), size) for i, (x, y, size) in enumerate((
        (-2, 0, (0.1, 4.1, 1.0)), (2, 0, (0.1, 4.1, 1.0)), (0, -2, (4.1, 0.1, 1.0)), (0, 2, (4.1, 0.1, 1.0))))]
    return World('room', (*walls, *things), Pose((-1.5, -1.5, 0)))


def value(grid: Grid, x: float, y: float) -> int:
    return int(grid.cells[grid.cell(x, y)])


def widened(grid: Grid, radius_m: float) -> np.ndarray:
    """Cells whose distance to everything that is not free is above the radius."""
    reach = int(np.ceil(radius_m / grid.resolution_m))
    blocked = grid.cells != FREE
    wide = blocked.copy()
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if dx * dx + dy * dy <= reach * reach:
                wide |= np.roll(np.roll(blocked, dy, 0), dx, 1)
    return ~wide


@pytest.mark.parametrize('name', ['home', 'warehouse'])
def test_the_robot_can_go_from_its_start_to_every_place(name: str, request: pytest.FixtureRequest) -> None:
    world = request.getfixturevalue(name)
    grid = rasterise(world)
    passable = Grid(grid.resolution_m, grid.origin_x, grid.origin_y,
                    np.where(widened(grid, ROBOT_RADIUS_M), FREE, OCCUPIED).astype(np.uint8))
    todo, seen = [passable.cell(*world.spawn.position[:2])], set()
    while todo:
        row, column = todo.pop()
        if (row, column) not in seen and passable.cells[row, column] == FREE:
            seen.add((row, column))
            todo += [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]
    for place, (x, y, _) in world.places.items():
        assert passable.cell(x, y) in seen, f'{place} of {name} can not be reached'


def test_what_moves_is_not_in_the_map(home: World) -> None:
    assert value(rasterise(home), -0.1, 0.15) == FREE


def test_heights_decide() -> None:
    low, high = box('low', Pose((0, 0, 0.02)), (0.4, 0.4, 0.04)), box('high', Pose((1, 1, 0.8)), (0.4, 0.4, 0.2))
    grid = rasterise(room(low, high))
    assert (value(grid, 0, 0), value(grid, 1, 1)) == (FREE, FREE)
    grid = rasterise(room(replace(low, pose=Pose((0, 0, 0.1))), replace(high, pose=Pose((1, 1, 0.5)))))
    assert (value(grid, 0, 0), value(grid, 1, 1)) == (OCCUPIED, OCCUPIED)


def test_outside_is_unknown_and_walls_are_occupied() -> None:
    grid = rasterise(room())
    assert value(grid, -2.2, 0) == UNKNOWN
    assert value(grid, -2, 0) == OCCUPIED
    assert value(grid, 0, 0) == FREE


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(-3, 3))
def test_a_thing_that_turns_covers_its_middle_and_ends(x: float, y: float, yaw: float) -> None:
    pose = Pose.from_rpy((x, y, 0.2), (0, 0, yaw))
    grid = rasterise(room(box('thing', pose, (0.8, 0.2, 0.2))))
    for along in (-0.38, 0.0, 0.38):
        assert value(grid, *(pose @ Pose((along, 0.0, 0.0))).position[:2]) == OCCUPIED


@given(st.integers(0, 79), st.integers(0, 79))
def test_a_cell_is_where_its_centre_is(row: int, column: int) -> None:
    grid = Grid(0.05, -1.7, 2.3, np.zeros((80, 80), np.uint8))
    assert grid.cell(*grid.centre(row, column)) == (row, column)


def test_worlds_that_make_no_map_are_refused() -> None:
    with pytest.raises(ConfigError, match='add walls'):
        rasterise(World('empty', (), Pose()))
    with pytest.raises(ConfigError, match='spawn frame on free floor'):
        rasterise(room(box('thing', Pose((-1.5, -1.5, 0.2)), (0.5, 0.5, 0.5))))
    with pytest.raises(ConfigError, match='at most 4000000 cells'):
        rasterise(room(), resolution_m=0.001)
