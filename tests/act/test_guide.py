"""The way through a map: a kinematic robot in plain Python drives it and never touches anything."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from loom.act.body import Grid, Pose2D
from loom.act.follower import wrapped
from loom.act.guide import Guide
from loom.act.maneuver import Straight, Turn
from loom.act.planner import field_of, mark, plan
from loom.act.safety import Command, Decision, State, decide
from loom.act.surroundings import Surroundings, to_base, to_map
from loom.core.errors import CapabilityError
from loom.guard.limits import Footprint, Limits

LIMITS, FOOTPRINT = Limits(), Footprint()
STEP_S = 0.05
SIZE = 0.05


def room(*boxes: tuple[float, float, float, float]) -> Grid:
    """A room of 6 x 4 m with walls, and boxes given as x0, y0, x1, y1."""
    cells = np.zeros((80, 120), np.int8)
    cells[[0, -1], :] = cells[:, [0, -1]] = 100
    for x0, y0, x1, y1 in boxes:
        cells[round(y0 / SIZE):round(y1 / SIZE), round(x0 / SIZE):round(x1 / SIZE)] = 100
    return Grid(cells, SIZE)


def points_of(grid: Grid) -> np.ndarray:
    rows, columns = np.nonzero(grid.occupancy)
    return np.column_stack([(columns + 0.5) * SIZE, (rows + 0.5) * SIZE])


class Robot:
    """Moves as decided, sees everything within 3 m, and notes how near it came to anything."""

    def __init__(self, world: Grid, x: float, y: float, yaw: float) -> None:
        self.pose = Pose2D(x, y, yaw)
        self.now_s = 0.0
        self.nearest_m = math.inf
        self._world = points_of(world)
        self._decision = Decision(0.0, 0.0)

    def seen(self) -> np.ndarray:
        points = to_base(self._world, self.pose)
        return points[np.hypot(*points.T) < 3.0]

    def move(self, linear: float, angular: float) -> None:
        assert abs(linear) <= LIMITS.max_speed_m_s + 1e-9 and abs(angular) <= LIMITS.max_turn_rad_s + 1e-9
        points = self.seen()
        state = State(self._decision.linear, self._decision.angular, STEP_S, points, 0.0)
        self._decision = decide(state, Command(linear, angular), LIMITS, FOOTPRINT)
        v, w, p = self._decision.linear, self._decision.angular, self.pose
        self.pose = Pose2D(p.x + v * math.cos(p.yaw) * STEP_S, p.y + v * math.sin(p.yaw) * STEP_S,
                           wrapped(p.yaw + w * STEP_S))
        self.now_s += STEP_S
        if len(points):
            gaps = np.maximum(np.abs(points[:, 0]) - 0.18, np.abs(points[:, 1]) - 0.15)
            self.nearest_m = min(self.nearest_m, float(gaps.min()) + SIZE / 2)


def drive(guide: Guide, robot: Robot, most_s: float = 90.0, low: np.ndarray | None = None) -> Robot:
    while not guide.arrived and robot.now_s < most_s:
        if not guide.ready:
            guide.prepare(robot.pose, robot.now_s)
        relief = np.zeros((0, 2)) if low is None else visible(to_base(low, robot.pose))
        robot.move(*guide.step(robot.pose, robot.seen(), relief, robot.now_s))
    return robot


def visible(points: np.ndarray) -> np.ndarray:
    """Points in the camera's view."""
    bearing, distance = np.arctan2(points[:, 1], points[:, 0]), np.hypot(*points.T)
    return points[(np.abs(bearing) < 0.6) & (distance > 0.25) & (distance < 3.0)]


def test_it_goes_round_a_wall_and_faces_the_goal() -> None:
    world = room((2.5, 0.0, 2.7, 3.0))
    guide = Guide(world, (5.0, 0.6, math.pi / 2), LIMITS, FOOTPRINT)
    robot = drive(guide, Robot(world, 0.6, 0.6, math.pi))
    assert guide.arrived and guide.detours == 0
    assert math.hypot(robot.pose.x - 5.0, robot.pose.y - 0.6) < 0.15
    assert abs(wrapped(robot.pose.yaw - math.pi / 2)) < 0.15
    assert robot.nearest_m > 0.0
    assert robot.now_s < 40.0


def test_it_passes_a_door_of_seventy_centimetres() -> None:
    world = room((2.5, 0.0, 2.6, 1.5), (2.5, 2.2, 2.6, 4.0))
    guide = Guide(world, (5.0, 3.0, None), LIMITS, FOOTPRINT)
    robot = drive(guide, Robot(world, 1.0, 0.8, 0.0))
    assert guide.arrived and robot.nearest_m > 0.0


def test_it_plans_round_what_the_map_does_not_know() -> None:
    known, world = room(), room((2.8, 0.0, 3.2, 2.6))
    guide = Guide(known, (5.2, 1.0, None), LIMITS, FOOTPRINT)
    robot = drive(guide, Robot(world, 0.6, 1.0, 0.0))
    assert guide.arrived and robot.nearest_m > 0.0


def test_it_goes_round_a_low_parcel_that_only_the_camera_sees() -> None:
    world = room()
    parcel = np.array([[x, y] for x in np.arange(2.9, 3.1, 0.04) for y in np.arange(1.9, 2.1, 0.04)])
    guide = Guide(world, (5.2, 2.0, None), LIMITS, FOOTPRINT)
    robot, nearest = Robot(world, 0.6, 2.0, 0.0), math.inf
    while not guide.arrived and robot.now_s < 60:
        if not guide.ready:
            guide.prepare(robot.pose, robot.now_s)
        low = to_base(parcel, robot.pose)
        nearest = min(nearest, float(np.maximum(np.abs(low[:, 0]) - 0.18, np.abs(low[:, 1]) - 0.15).min()))
        robot.move(*guide.step(robot.pose, robot.seen(), visible(low), robot.now_s))
    assert guide.arrived and nearest > 0.0


def test_it_gives_up_when_there_is_no_way() -> None:
    world = room((2.5, 0.0, 2.7, 4.0))
    guide = Guide(world, (5.0, 2.0, None), LIMITS, FOOTPRINT)
    with pytest.raises(CapabilityError, match='no way from'):
        guide.prepare(Pose2D(1.0, 1.0, 0.0), 0.0)


def test_it_gives_up_when_a_wall_nobody_knew_closes_the_room() -> None:
    guide = Guide(room(), (5.0, 2.0, None), LIMITS, FOOTPRINT)
    robot = Robot(room((2.5, 0.0, 2.7, 4.0)), 1.0, 2.0, 0.0)
    with pytest.raises(CapabilityError, match='no way|blocked'):
        drive(guide, robot, 200.0)
    assert robot.now_s < 100.0 and robot.nearest_m > 0.0


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2 ** 32 - 1))
def test_no_room_makes_it_collide_or_go_on_for_ever(seed: int) -> None:
    random = np.random.default_rng(seed)
    boxes = []
    for _ in range(random.integers(0, 7)):
        x, y = random.uniform(0.2, 5.0), random.uniform(0.2, 3.0)
        boxes.append((x, y, x + random.uniform(0.1, 0.8), y + random.uniform(0.1, 0.8)))
    world = room(*boxes)
    known = room(*boxes[:random.integers(0, len(boxes) + 1)])
    free = np.argwhere(field_of(world).distance > 0.35)
    start, goal = (free[i][::-1] * SIZE + SIZE / 2 for i in random.integers(0, len(free), 2))
    robot = Robot(world, *start, random.uniform(-math.pi, math.pi))
    guide = Guide(known, (*goal, None), LIMITS, FOOTPRINT)
    ended = False
    try:
        ended = drive(guide, robot, 240.0).now_s < 240.0
    except CapabilityError:
        ended = True
    assert ended
    assert robot.nearest_m > -0.02


@given(st.floats(0.5, 5.5), st.floats(0.5, 3.5), st.floats(0.5, 5.5), st.floats(0.5, 3.5))
@settings(max_examples=10, deadline=None)
def test_a_path_keeps_its_distance(x0: float, y0: float, x1: float, y1: float) -> None:
    field = field_of(room((2.0, 1.0, 2.5, 2.5)))
    assume(field.room(field.cell(x0, y0)) > 0.2 and field.room(field.cell(x1, y1)) > 0.2)
    path = plan(field, (x0, y0), (x1, y1), 0.2)
    assert all(field.room(field.cell(*point)) > 0.14 for point in path)
    assert np.hypot(*np.diff(path, axis=0).T).max() < 0.2


def test_marks_outside_the_map_are_no_harm() -> None:
    marked = mark(room(), np.array([[1.0, 1.0], [-5.0, 99.0]]))
    assert marked.occupancy[20, 20] == 100
    assert marked.occupancy.sum() - room().occupancy.sum() == 100


def test_a_goal_in_a_wall_is_refused() -> None:
    world = room((2.0, 0.0, 6.0, 4.0))
    with pytest.raises(CapabilityError, match='the goal .* must have 0.20 m of free room'):
        plan(field_of(world), (1.0, 1.0), (4.0, 2.0), 0.2)


def test_surroundings_forget_what_is_old_or_far() -> None:
    near = Surroundings()
    near.see(np.array([[0.5, 0.1], [2.0, 0.0]]), Pose2D(1.0, 1.0, math.pi / 2), 0.0)
    assert near.around(Pose2D(1.0, 1.0, math.pi / 2)) == pytest.approx(np.array([[0.5, 0.1]]))
    near.see(np.zeros((0, 2)), Pose2D(1.0, 1.0, 0.0), 7.0)
    assert len(near.in_map()) == 0


def test_map_and_base_are_inverse() -> None:
    points, pose = np.array([[0.3, -0.7], [2.0, 1.0]]), Pose2D(1.0, -2.0, 2.5)
    assert to_base(to_map(points, pose), pose) == pytest.approx(points)


@pytest.mark.parametrize('distance', [1.0, -0.5])
def test_straight_on(distance: float) -> None:
    robot = Robot(room(), 3.0, 2.0, 0.5)
    move = Straight(robot.pose, distance, 0.4, LIMITS, FOOTPRINT)
    while not move.arrived and robot.now_s < 20:
        robot.move(*move.step(robot.pose, robot.seen(), np.zeros((0, 2)), robot.now_s))
    assert (robot.pose.x - 3.0) * math.cos(0.5) == pytest.approx(distance * math.cos(0.5) ** 2, abs=0.06)


def test_straight_on_ends_at_a_wall() -> None:
    robot = Robot(room(), 5.0, 2.0, 0.0)
    move = Straight(robot.pose, 3.0, 0.4, LIMITS, FOOTPRINT)
    with pytest.raises(CapabilityError, match=r'in the way after 0\.\d+ m of 3.00 m'):
        while not move.arrived and robot.now_s < 20:
            robot.move(*move.step(robot.pose, robot.seen(), np.zeros((0, 2)), robot.now_s))
    assert robot.nearest_m > 0


@pytest.mark.parametrize('angle', [math.pi / 2, -math.pi / 2, math.pi, 2 * math.pi])
def test_turning(angle: float) -> None:
    robot = Robot(room(), 3.0, 2.0, 0.3)
    move = Turn(robot.pose, angle, LIMITS)
    while not move.arrived and robot.now_s < 30:
        robot.move(*move.step(robot.pose, robot.seen(), np.zeros((0, 2)), robot.now_s))
    assert move.arrived
    assert abs(wrapped(robot.pose.yaw - 0.3 - angle)) < 0.2
