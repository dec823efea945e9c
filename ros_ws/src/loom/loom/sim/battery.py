"""A battery that drains with use."""

from __future__ import annotations

from dataclasses import dataclass

CAPACITY_WH = 60.0
DESIGN_AH = 5.2
FULL_V, EMPTY_V = 12.6, 10.2
IDLE_W = 12.0


@dataclass
class Battery:
    """`charge` from 0 (empty) to 1 (full)."""

    charge: float = 1.0
    power_w: float = IDLE_W

    def drain(self, motor_w: float, dt_s: float) -> None:
        """Takes what computer, sensors and motors used in `dt_s` seconds."""
        self.power_w = IDLE_W + abs(motor_w)
        self.charge = max(0.0, self.charge - self.power_w * dt_s / 3600 / CAPACITY_WH)

    @property
    def voltage(self) -> float:
        """Volts at the terminals."""
        return EMPTY_V + (FULL_V - EMPTY_V) * self.charge
