"""Settings: every refusal names the owner, the field, the rule and the value."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import Field, ValidationError

from loom.core.config import NodeConfig, load
from loom.core.errors import ConfigError, nearest


class Settings(NodeConfig):
    """Settings of a scanner."""

    rate_hz: float = Field(10.0, gt=0, le=120, description='Scans a second.')
    frames: tuple[str, ...] = Field((), description='Frames to look at.')
    mode: Literal['fast', 'fine'] = Field('fast', description='How it scans.')


@pytest.mark.parametrize(('values', 'text'), [
    ({'rate_hz': 500}, 'scanner: rate_hz: input should be less than or equal to 120, got 500'),
    ({'rate_hz': 0}, 'scanner: rate_hz: input should be greater than 0, got 0'),
    ({'rate_hz': 'quick'}, "rate_hz: input should be a valid number.*got 'quick'"),
    ({'mode': 'slow'}, "mode: input should be 'fast' or 'fine', got 'slow'"),
    ({'frames': 'map'}, "frames: input should be a valid tuple, got 'map'"),
    ({'rate': 1}, "scanner: no parameter named 'rate'; did you mean 'rate_hz'\\?"),
    ({'zzz': 1}, "no parameter named 'zzz'; there are: frames, mode, rate_hz"),
    ({'rate_hz': -1, 'mode': 'x'}, 'rate_hz: .*; mode: '),
])
def test_refusals(values: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text) as refused:
        load(Settings, values, 'scanner')
    assert '\n' not in str(refused.value)


@pytest.mark.parametrize('value', [float('nan'), float('inf'), float('-inf')])
def test_numbers_that_are_none_are_refused(value: float) -> None:
    with pytest.raises(ConfigError, match='rate_hz'):
        load(Settings, {'rate_hz': value}, 'scanner')


def test_nan_is_refused_without_bounds_too() -> None:
    class Free(NodeConfig):
        """Settings without bounds."""

        offset_m: float = Field(0.0, description='Any number.')
    with pytest.raises(ConfigError, match='offset_m: .*finite'):
        load(Free, {'offset_m': float('nan')}, 'free')


def test_good_values_are_converted_and_frozen() -> None:
    settings = load(Settings, {'rate_hz': 5, 'frames': ['map', 'odom']}, 'scanner')
    assert (settings.rate_hz, settings.frames, settings.mode) == (5.0, ('map', 'odom'), 'fast')
    with pytest.raises(ValidationError):
        settings.rate_hz = 1.0


def test_help_with_names() -> None:
    assert nearest('kitchn', ['kitchen', 'hall']) == "; did you mean 'kitchen'?"
    assert nearest('x', ['b', 'a']) == '; there are: a, b'
