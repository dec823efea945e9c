"""Wheel odometry with a gyro for the heading, and the errors that a real robot's has."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from loom.sim.robot import Drive

TICKS_PER_TURN = 4096
RADIUS_ERROR = 0.0005
GYRO_BIAS_RAD_S = 0.00002


@dataclass(frozen=True)
class Odometry:
    """Where the robot believes it is since its start: metres, radians, m/s, rad/s."""

    x: float = 0.0
    y: float = 0.0
    yaw: float = 0.0
    speed: float = 0.0
    turn: float = 0.0


class DeadReckoning:
    """Adds up encoder ticks and gyro readings; the seed fixes its calibration errors."""

    def __init__(self, drive: Drive, rng: np.random.Generator) -> None:
        self._metres_per_tick = 2 * math.pi * drive.radius_m / TICKS_PER_TURN * (1 + rng.normal(0, RADIUS_ERROR))
        self._bias = rng.normal(0, GYRO_BIAS_RAD_S)
        self._ticks: tuple[int, int] | None = None
        self._turn = 0.0
        self.odometry = Odometry()

    @property
    def encoders(self) -> tuple[int, int] | None:
        """The ticks of the left and the right wheel at the last step."""
        return self._ticks

    @property
    def gyro_rad_s(self) -> float:
        """The gyro's rate at the last step."""
        return self._turn

    def restore(self, odometry: Odometry, encoders: tuple[int, int] | None, gyro_rad_s: float) -> None:
        """Goes on from there."""
        self.odometry, self._ticks, self._turn = odometry, encoders, gyro_rad_s

    def update(self, left_rad: float, right_rad: float, gyro_rad_s: float, dt_s: float) -> None:
        """One step from the wheel angles and the gyro's noisy rate about z."""
        ticks = (_ticks(left_rad), _ticks(right_rad))
        before, self._ticks = self._ticks or ticks, ticks
        distance = (ticks[0] - before[0] + ticks[1] - before[1]) / 2 * self._metres_per_tick
        turn, self._turn = (gyro_rad_s + self._turn) / 2 + self._bias, gyro_rad_s
        last = self.odometry
        # A robot that stands still ignores its gyro, as real ones do, so that its heading doesn't wander.
        if ticks == before:
            turn = 0.0
        middle = last.yaw + turn * dt_s / 2
        self.odometry = Odometry(
            x=last.x + distance * math.cos(middle), y=last.y + distance * math.sin(middle),
            yaw=math.remainder(last.yaw + turn * dt_s, math.tau), speed=distance / dt_s, turn=turn)


def _ticks(angle_rad: float) -> int:
    return math.floor(angle_rad / math.tau * TICKS_PER_TURN)
