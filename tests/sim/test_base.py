"""The base keeps its limits, ramps, and stops by itself."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.core.errors import SimulationError
from loom.sim.base import Base
from loom.sim.robot import Robot

DT_S = 0.01


def run(base: Base, seconds: float, start_s: float = 0.0) -> tuple[float, float]:
    for i in range(round(seconds / DT_S)):
        speeds = base.wheel_speeds(start_s + i * DT_S, DT_S)
    return speeds


def test_forward_turns_both_wheels_alike(robot: Robot) -> None:
    base = Base(robot.drive)
    base.command(0.4, 0.0, 0.0)
    assert run(base, 0.45) == pytest.approx((8.0, 8.0))


def test_turning_left_turns_the_right_wheel_forward(robot: Robot) -> None:
    base = Base(robot.drive)
    base.command(0.0, 1.0, 0.0)
    assert run(base, 0.45) == pytest.approx((-3.0, 3.0))


def test_it_stops_half_a_second_after_the_last_command(robot: Robot) -> None:
    base = Base(robot.drive)
    base.command(0.3, 0.5, 0.0)
    run(base, 0.5)
    assert (base.speed, base.turn) == pytest.approx((0.3, 0.5))
    run(base, 0.3, 0.5)
    assert (base.speed, base.turn) == (0.0, 0.0)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), max_size=30))
def test_limits_hold_whatever_is_commanded(robot: Robot, commands: list[tuple[float, float]]) -> None:
    base, drive, now = Base(robot.drive), robot.drive, 0.0
    for command in commands:
        base.command(*command, now)
        before = base.speed
        base.wheel_speeds(now, DT_S)
        assert abs(base.speed) <= drive.max_speed_m_s and abs(base.turn) <= drive.max_turn_rad_s
        assert abs(base.speed - before) <= drive.max_acceleration_m_s2 * DT_S + 1e-12
        now += DT_S


@pytest.mark.parametrize('speed', [math.nan, math.inf])
def test_what_is_no_number_is_refused(robot: Robot, speed: float) -> None:
    with pytest.raises(SimulationError, match='a velocity must be finite'):
        Base(robot.drive).command(speed, 0.0, 0.0)
