"""The robot's own drive electronics: limits, a ramp, and a watchdog that stops it when commands stay away."""

from __future__ import annotations

import math

from loom.core.errors import SimulationError
from loom.sim.robot import Drive

WATCHDOG_S = 0.5


class Base:
    """Turns a body velocity into wheel speeds, as the motor controller of a real robot does."""

    def __init__(self, drive: Drive) -> None:
        self.drive = drive
        self._wanted = (0.0, 0.0)
        self._commanded_s = -math.inf
        self.speed = 0.0
        self.turn = 0.0

    def command(self, speed_m_s: float, turn_rad_s: float, now_s: float) -> None:
        """Asks for a forward speed and a turning rate; both are held to the drive's limits."""
        check_velocity(speed_m_s, turn_rad_s)
        self._wanted = (_limit(speed_m_s, self.drive.max_speed_m_s), _limit(turn_rad_s, self.drive.max_turn_rad_s))
        self._commanded_s = now_s

    def wheel_speeds(self, now_s: float, dt_s: float) -> tuple[float, float]:
        """The left and right wheel's speed in rad/s for the next `dt_s`; call it once for each such step."""
        speed, turn = self._wanted if now_s - self._commanded_s < WATCHDOG_S else (0.0, 0.0)
        self.speed += _limit(speed - self.speed, self.drive.max_acceleration_m_s2 * dt_s)
        self.turn += _limit(turn - self.turn, self.drive.max_turn_acceleration_rad_s2 * dt_s)
        half = self.turn * self.drive.separation_m / 2
        return (self.speed - half) / self.drive.radius_m, (self.speed + half) / self.drive.radius_m


def check_velocity(speed_m_s: float, turn_rad_s: float) -> None:
    """SimulationError where one of them is no number."""
    if not (math.isfinite(speed_m_s) and math.isfinite(turn_rad_s)):
        raise SimulationError(f'a velocity must be finite, got {speed_m_s} and {turn_rad_s}; send numbers')


def _limit(value: float, bound: float) -> float:
    return max(-bound, min(bound, value))
