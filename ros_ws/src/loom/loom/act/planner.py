"""A way through the known map: A* over cells, dearer near obstacles, then straightened."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from loom.act.body import Floats, Grid
from loom.core.errors import CapabilityError

OCCUPIED = 50
COMFORT_M = 0.5
NEAR_COST = 4.0
SPACING_M = 0.1
Cell = tuple[int, int]


@dataclass(frozen=True)
class Field:
    """A grid with the distance in metres from each cell to what is occupied or unknown, at most COMFORT_M."""

    grid: Grid
    distance: Floats

    def cell(self, x: float, y: float) -> Cell:
        """(row, column) of a point of the map."""
        size = self.grid.resolution_m
        return math.floor((y - self.grid.origin_y) / size), math.floor((x - self.grid.origin_x) / size)

    def point(self, cell: Cell) -> tuple[float, float]:
        """The middle of a cell."""
        size = self.grid.resolution_m
        return self.grid.origin_x + (cell[1] + 0.5) * size, self.grid.origin_y + (cell[0] + 0.5) * size

    def room(self, cell: Cell) -> float:
        """The distance to the nearest obstacle; 0 outside the map."""
        rows, columns = self.distance.shape
        return float(self.distance[cell]) if 0 <= cell[0] < rows and 0 <= cell[1] < columns else 0.0


def field_of(grid: Grid) -> Field:
    """The distance field of a grid."""
    blocked = (grid.occupancy < 0) | (grid.occupancy >= OCCUPIED)
    distance = np.where(blocked, 0.0, COMFORT_M)
    reach = math.ceil(COMFORT_M / grid.resolution_m)
    rows, columns = blocked.shape
    # A moving minimum over offsets: few cells lie within half a metre, and numpy does each offset at once.
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            away = math.hypot(down, right) * grid.resolution_m
            if away >= COMFORT_M or not (down or right):
                continue
            here = distance[max(down, 0):rows + min(down, 0), max(right, 0):columns + min(right, 0)]
            there = blocked[max(-down, 0):rows + min(-down, 0), max(-right, 0):columns + min(-right, 0)]
            np.minimum(here, np.where(there, away, COMFORT_M), out=here)
    return Field(grid, distance)


def mark(grid: Grid, points: Floats) -> Grid:
    """The grid with the cells of these map points occupied."""
    occupancy = grid.occupancy.copy()
    size = grid.resolution_m
    rows = np.floor((points[:, 1] - grid.origin_y) / size).astype(int)
    columns = np.floor((points[:, 0] - grid.origin_x) / size).astype(int)
    inside = (rows >= 0) & (rows < occupancy.shape[0]) & (columns >= 0) & (columns < occupancy.shape[1])
    occupancy[rows[inside], columns[inside]] = 100
    return replace(grid, occupancy=occupancy)


def plan(field: Field, start: tuple[float, float], goal: tuple[float, float], radius_m: float) -> Floats:
    """A path of (n, 2) map points from start to goal that a robot of this radius can take.

    CapabilityError where there is none. A start or goal too near an obstacle moves to the nearest free cell.
    """
    first, last = _free_cell(field, start, radius_m, 'the start'), _free_cell(field, goal, radius_m, 'the goal')
    cells = _search(field, first, last, radius_m)
    if not cells:
        raise CapabilityError(f'no way from ({start[0]:.2f}, {start[1]:.2f}) to ({goal[0]:.2f}, {goal[1]:.2f}): '
                              'something blocks it; clear the way or choose another place')
    corners = [field.point(cell) for cell in _straightened(field, cells, radius_m)]
    ends = [start, *corners[1:-1], goal if field.cell(*goal) == last else corners[-1]]
    return _spaced(np.array(ends, dtype=np.float64))


def _free_cell(field: Field, point: tuple[float, float], radius_m: float, what: str) -> Cell:
    row, column = field.cell(*point)
    reach = math.ceil(COMFORT_M / field.grid.resolution_m)
    near = [(r, c) for r in range(row - reach, row + reach + 1) for c in range(column - reach, column + reach + 1)
            if field.room((r, c)) > radius_m]
    if not near:
        raise CapabilityError(f'{what} ({point[0]:.2f}, {point[1]:.2f}) must have {radius_m:.2f} m of free room '
                              f'within {COMFORT_M:g} m and has not; choose another place')
    return min(near, key=lambda cell: (cell[0] - row) ** 2 + (cell[1] - column) ** 2)


def _search(field: Field, first: Cell, last: Cell, radius_m: float) -> list[Cell]:
    rows, columns = field.distance.shape
    price = (1.0 + NEAR_COST * (1.0 - field.distance / COMFORT_M) ** 2).ravel()
    price[field.distance.ravel() <= radius_m] = math.inf
    costs: list[float] = price.tolist()
    steps = [(dr * columns + dc, dc, math.hypot(dr, dc)) for dr in (-1, 0, 1) for dc in (-1, 0, 1) if dr or dc]
    start, goal = first[0] * columns + first[1], last[0] * columns + last[1]
    best, parent = {start: 0.0}, {start: start}
    queue = [(0.0, start)]
    while queue:
        estimate, here = heapq.heappop(queue)
        if here == goal:
            return _traced(parent, here, columns)
        spent, column = best[here], here % columns
        if estimate > spent + _octile(here, last, columns) + 1e-9:
            continue
        for offset, dc, length in steps:
            there = here + offset
            if not (0 <= there < rows * columns and 0 <= column + dc < columns):
                continue
            cost = spent + length * costs[there]
            if cost < best.get(there, math.inf):
                best[there], parent[there] = cost, here
                heapq.heappush(queue, (cost + _octile(there, last, columns), there))
    return []


def _octile(index: int, last: Cell, columns: int) -> float:
    down, right = abs(index // columns - last[0]), abs(index % columns - last[1])
    return max(down, right) + (math.sqrt(2) - 1) * min(down, right)


def _traced(parent: dict[int, int], here: int, columns: int) -> list[Cell]:
    cells = [divmod(here, columns)]
    while parent[here] != here:
        here = parent[here]
        cells.append(divmod(here, columns))
    return cells[::-1]


def _straightened(field: Field, cells: list[Cell], radius_m: float) -> list[Cell]:
    kept, i = [cells[0]], 0
    while i < len(cells) - 1:
        room = min(field.room(cell) for cell in cells[i:i + 2])
        reach = i + 1
        for j in range(i + 2, len(cells)):
            # A short cut may come as near to things as the way it replaces, not nearer.
            room = min(room, field.room(cells[j]))
            if _line_room(field, cells[i], cells[j]) < max(min(room, COMFORT_M * 0.8), radius_m + 1e-6):
                break
            reach = j
        kept.append(cells[reach])
        i = reach
    return kept


def _line_room(field: Field, a: Cell, b: Cell) -> float:
    count = 2 * max(abs(a[0] - b[0]), abs(a[1] - b[1])) + 1
    rows = np.rint(np.linspace(a[0], b[0], count)).astype(int)
    columns = np.rint(np.linspace(a[1], b[1], count)).astype(int)
    return float(field.distance[rows, columns].min())


def _spaced(corners: NDArray[np.float64]) -> Floats:
    lengths = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
    count = max(math.ceil(lengths[-1] / SPACING_M), 1) + 1
    along = np.linspace(0.0, lengths[-1], count)
    return np.column_stack([np.interp(along, lengths, corners[:, 0]), np.interp(along, lengths, corners[:, 1])])
