"""Dead reckoning adds up what wheels and gyro say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from loom.sim.battery import Battery
from loom.sim.odometry import DeadReckoning
from loom.sim.robot import Robot

DT_S = 0.01


def reckon(robot: Robot, steps: int, wheel_rad_s: float, gyro_rad_s: float) -> DeadReckoning:
    reckoning = DeadReckoning(robot.drive, np.random.default_rng(1))
    for i in range(steps + 1):
        reckoning.update(wheel_rad_s * i * DT_S, wheel_rad_s * i * DT_S, gyro_rad_s, DT_S)
    return reckoning


def test_straight_ahead(robot: Robot) -> None:
    odometry = reckon(robot, 1000, 6.0, 0.0).odometry
    assert (odometry.x, odometry.y) == pytest.approx((3.0, 0.0), abs=0.01)
    assert odometry.speed == pytest.approx(0.3, rel=0.05)


def test_a_circle_comes_back(robot: Robot) -> None:
    odometry = reckon(robot, round(math.tau / DT_S), 6.0, 1.0).odometry
    assert math.hypot(odometry.x, odometry.y) < 0.01
    assert odometry.yaw == pytest.approx(0, abs=0.02)


def test_a_standing_robot_does_not_turn(robot: Robot) -> None:
    assert reckon(robot, 100, 0.0, 0.01).odometry.yaw == 0


def test_errors_come_from_the_seed(robot: Robot) -> None:
    first, again = (DeadReckoning(robot.drive, np.random.default_rng(3)) for _ in range(2))
    for reckoning in (first, again):
        for i in range(50):
            reckoning.update(i, i, 0.1, DT_S)
    assert first.odometry == again.odometry


def test_the_battery_drains_with_use() -> None:
    idle, driving = Battery(), Battery()
    for _ in range(1000):
        idle.drain(0.0, 1.0)
        driving.drain(-10.0, 1.0)
    assert driving.charge < idle.charge < 1.0
    assert driving.voltage < idle.voltage
    driving.drain(1e9, 1.0)
    assert driving.charge == 0.0
