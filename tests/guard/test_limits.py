"""The limits of motion as values."""

from __future__ import annotations

import math

import pytest

from loom.core.errors import ConfigError
from loom.guard.limits import Footprint, Limits


@pytest.mark.parametrize('value', [0.0, -1.0, math.inf, math.nan, 1000.0])
@pytest.mark.parametrize('name', ['max_speed_m_s', 'max_braking_m_s2', 'latency_s'])
def test_a_limit_that_limits_nothing_is_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f'{name} must be above 0 and below 1000, got'):
        Limits(**{name: value})


def test_the_robot_stops_within_half_a_metre_from_full_speed() -> None:
    limits, robot = Limits(), Footprint()
    stopping_m = limits.max_speed_m_s ** 2 / (2 * limits.max_braking_m_s2) + limits.max_speed_m_s * limits.latency_s
    assert stopping_m + robot.margin_m < 0.5
