"""Text in pictures, read by the real networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loom.core.clock import ManualClock
from loom.sense.pictures import decode
from loom.sense.text import TextReader

TEXTURES = Path(__file__).resolve().parents[2] / 'sim' / 'textures'


@pytest.fixture(scope='module')
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope='module')
def reader(clock: ManualClock) -> TextReader:
    return TextReader(clock, idle_s=10.0)


@pytest.mark.parametrize('place', ['kitchen', 'bedroom', 'living_room'])
def test_the_signs_of_the_home_can_be_read(reader: TextReader, place: str) -> None:
    texts = reader.read(decode((TEXTURES / f'sign_{place}.png').read_bytes()))
    assert ' '.join(t.text for t in texts).lower().replace('\n', ' ').split() == place.split('_')
    assert all(0.6 <= t.confidence <= 1.0 and t.u > 0 for t in texts)


def test_nothing_is_read_where_nothing_is_written(reader: TextReader) -> None:
    assert reader.read(np.full((120, 160, 3), 128, np.uint8)) == []


def test_its_memory_is_freed_when_idle(reader: TextReader, clock: ManualClock) -> None:
    reader.read(np.full((60, 60, 3), 128, np.uint8))
    assert reader.loaded and not reader.free_if_idle()
    clock.advance(11.0)
    assert reader.free_if_idle() and not reader.loaded
    assert not reader.free_if_idle()
