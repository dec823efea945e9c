"""Poses compose, invert and turn as rigid motions do."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.sim.pose import Pose, rotate

NUMBER = st.floats(-10, 10)
VECTOR = st.tuples(NUMBER, NUMBER, NUMBER)
POSE = st.builds(Pose.from_rpy, VECTOR, VECTOR)


def same(a: Pose, b: Pose) -> bool:
    dot = sum(x * y for x, y in zip(a.orientation, b.orientation))
    return math.dist(a.position, b.position) < 1e-9 and abs(abs(dot) - 1) < 1e-9


@given(POSE)
def test_a_pose_and_its_inverse_cancel(pose: Pose) -> None:
    assert same(pose @ pose.inverse(), Pose())
    assert same(pose.inverse() @ pose, Pose())


@given(POSE, POSE, POSE)
def test_composition_is_associative(a: Pose, b: Pose, c: Pose) -> None:
    assert same((a @ b) @ c, a @ (b @ c))


@given(POSE, VECTOR)
def test_turning_keeps_lengths(pose: Pose, vector: tuple[float, float, float]) -> None:
    assert math.hypot(*rotate(pose.orientation, vector)) == pytest.approx(math.hypot(*vector), abs=1e-9)


@given(st.floats(-3.1, 3.1))
def test_yaw_is_what_was_given(yaw: float) -> None:
    assert Pose.from_rpy((0, 0, 0), (0, 0, yaw)).yaw == pytest.approx(yaw)


def test_fixed_axis_order_is_roll_pitch_yaw() -> None:
    pose = Pose.from_rpy((0, 0, 0), (math.pi / 2, 0, -math.pi / 2))
    assert rotate(pose.orientation, (0, 0, 1)) == pytest.approx((-1, 0, 0), abs=1e-12)
