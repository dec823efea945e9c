"""The map: which cells of the floor the static things of a world take."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loom.core.errors import ConfigError
from loom.sim.pose import Pose, rotate
from loom.sim.shape import Shape, World

FREE, OCCUPIED, UNKNOWN = 0, 100, 255
RESOLUTION_M = 0.05
LOW_M, HIGH_M = 0.05, 0.5
MARGIN_M = 0.3
MAX_CELLS = 4_000_000


@dataclass(frozen=True)
class Grid:
    """`cells` uint8 (rows, columns), row 0 at origin_y, column 0 at origin_x: 0 free, 100 occupied, 255 unknown."""

    resolution_m: float
    origin_x: float
    origin_y: float
    cells: npt.NDArray[np.uint8]

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """(row, column) of a point in the map, which may lie outside of the cells."""
        return (math.floor((y - self.origin_y) / self.resolution_m),
                math.floor((x - self.origin_x) / self.resolution_m))

    def centre(self, row: int, column: int) -> tuple[float, float]:
        """(x, y) in the middle of a cell, in metres."""
        return (self.origin_x + (column + 0.5) * self.resolution_m, self.origin_y + (row + 0.5) * self.resolution_m)


def floor_bounds(world: World) -> tuple[float, float, float, float]:
    """Left, right, bottom and top in metres of what stands in the world; the ground planes don't count."""
    corners = [_extent(pose, shape) for pose, shape in _solid(world)]
    if not corners:
        raise ConfigError(f'world {world.name!r} must have a static model that collides, to make a map of; add walls')
    left, right, bottom, top = zip(*corners)
    return min(left), max(right), min(bottom), max(top)


def rasterise(world: World, resolution_m: float = RESOLUTION_M) -> Grid:
    """The map of a world's static models between 0.05 and 0.5 m height; what can't be reached is unknown."""
    left, right, bottom, top = floor_bounds(world)
    x0, y0 = left - MARGIN_M, bottom - MARGIN_M
    columns = math.ceil((right + MARGIN_M - x0) / resolution_m)
    rows = math.ceil((top + MARGIN_M - y0) / resolution_m)
    if rows * columns > MAX_CELLS:
        raise ConfigError(f'a map must have at most {MAX_CELLS} cells, got {rows * columns}; '
                          f'make resolution_m larger than {resolution_m:g}')
    grid = Grid(resolution_m, x0, y0, np.zeros((rows, columns), np.uint8))
    for pose, shape in _solid(world):
        _draw(grid, pose, shape)
    _hide_unreachable(grid, *grid.cell(world.spawn.position[0], world.spawn.position[1]))
    return grid


def _solid(world: World) -> list[tuple[Pose, Shape]]:
    return [(pose, shape) for model in world.models if model.static for pose, shape in model.placed()
            if shape.collides and shape.geometry.kind != 'plane']


def _half_height(pose: Pose, shape: Shape) -> float:
    return _reach(pose, shape)[2]


def _reach(pose: Pose, shape: Shape) -> tuple[float, float, float]:
    """How far the turned shape's bounding box reaches from its middle along the world's x, y and z."""
    half = shape.geometry.half_extents
    axes = [rotate(pose.orientation, axis) for axis in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))]
    x, y, z = (sum(abs(axis[k]) * extent for axis, extent in zip(axes, half)) for k in range(3))
    return x, y, z


def _extent(pose: Pose, shape: Shape) -> tuple[float, float, float, float]:
    reach = _reach(pose, shape)
    x, y, _ = pose.position
    return x - reach[0], x + reach[0], y - reach[1], y + reach[1]


def _draw(grid: Grid, pose: Pose, shape: Shape) -> None:
    """Marks the cells the shape's outline touches, if the shape is at a height where the robot would meet it."""
    height = _half_height(pose, shape)
    if pose.position[2] - height >= HIGH_M or pose.position[2] + height <= LOW_M:
        return
    left, right, bottom, top = _extent(pose, shape)
    (row, column), (last_row, last_column) = grid.cell(left, bottom), grid.cell(right - 1e-9, top - 1e-9)
    rows, columns = np.mgrid[row:last_row + 1, column:last_column + 1]
    x = grid.origin_x + (columns + 0.5) * grid.resolution_m - pose.position[0]
    y = grid.origin_y + (rows + 0.5) * grid.resolution_m - pose.position[1]
    cells = grid.cells[row:last_row + 1, column:last_column + 1]
    cells[_inside(shape, pose.yaw, x, y, grid.resolution_m / 2)] = OCCUPIED


def _inside(shape: Shape, yaw: float, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64],
            slack: float) -> npt.NDArray[np.bool_]:
    if shape.geometry.kind != 'box':
        round_cells: npt.NDArray[np.bool_] = np.hypot(x, y) <= shape.geometry.size[0] + slack
        return round_cells
    along = np.abs(x * math.cos(yaw) + y * math.sin(yaw))
    across = np.abs(y * math.cos(yaw) - x * math.sin(yaw))
    box: npt.NDArray[np.bool_] = (along <= shape.geometry.size[0] / 2 + slack) & (
        across <= shape.geometry.size[1] / 2 + slack)
    return box


def _hide_unreachable(grid: Grid, row: int, column: int) -> None:
    """Free cells with no way to the start are outside of the rooms, or in things: unknown."""
    rows, columns = grid.cells.shape
    if not (0 <= row < rows and 0 <= column < columns) or grid.cells[row, column] != FREE:
        raise ConfigError('a world must have its spawn frame on free floor, got one outside of it or in a thing')
    free = grid.cells == FREE
    reached = np.zeros_like(free)
    reached[row, column] = True
    frontier = reached
    while frontier.any():
        grown = np.zeros_like(free)
        grown[1:] |= frontier[:-1]
        grown[:-1] |= frontier[1:]
        grown[:, 1:] |= frontier[:, :-1]
        grown[:, :-1] |= frontier[:, 1:]
        frontier = grown & free & ~reached
        reached |= frontier
    grid.cells[free & ~reached] = UNKNOWN
