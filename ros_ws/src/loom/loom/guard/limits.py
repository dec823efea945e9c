"""How fast the robot may move and how much room it needs, as values."""

from __future__ import annotations

from dataclasses import dataclass, fields

from loom.core.errors import ConfigError


@dataclass(frozen=True)
class Limits:
    """What no motion may exceed: m/s, m/s^2, rad/s, rad/s^2, seconds."""

    max_speed_m_s: float = 0.6
    max_turn_rad_s: float = 1.5
    max_acceleration_m_s2: float = 0.8
    max_braking_m_s2: float = 1.2
    max_turn_acceleration_rad_s2: float = 4.0
    time_to_live_s: float = 0.5
    silence_s: float = 0.5
    scan_age_s: float = 0.3
    latency_s: float = 0.2

    def __post_init__(self) -> None:
        """Refuses limits that are not above zero."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 < value < 1000:
                raise ConfigError(f'{field.name} must be above 0 and below 1000, got {value}')


@dataclass(frozen=True)
class Footprint:
    """The robot seen from above, in metres from the middle of its axle, with `margin_m` kept free around it."""

    front_m: float = 0.18
    rear_m: float = 0.18
    half_width_m: float = 0.17
    margin_m: float = 0.03
