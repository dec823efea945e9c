"""The door of every bus: drops are counted by reason and said once for each source."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

import pytest

from loom.core.clock import ManualClock
from loom.core.event import Event
from loom.core.intake import MAX_SOURCES, Intake

LOGGER = logging.getLogger('test.intake')
GOOD = Event.create('a.b', {'n': 1}, source='s', stamp_ns=0, sender='friend')


def intake() -> Intake:
    return Intake(ManualClock(100), LOGGER)


@pytest.mark.parametrize(('changes', 'reason'), [
    ({'expires_ns': 99}, 'expired'), ({'hops': 16}, 'hop_limit'), ({'hops': 200, 'hop_limit': 3}, 'hop_limit'),
    ({'type': 'No Type'}, 'malformed'), ({'confidence': float('nan')}, 'malformed'), ({'id': ''}, 'malformed'),
    ({'stamp_ns': -1}, 'malformed'), ({'payload': b'x' * (1 << 20) + b'x'}, 'malformed')])
def test_what_is_not_delivered_is_counted_by_reason(changes: dict[str, Any], reason: str) -> None:
    door, heard = intake(), []
    door.deliver(dataclasses.replace(GOOD, **changes), heard.append)
    assert not heard and dict(door.counts) == {reason: 1}


@pytest.mark.parametrize('changes', [{}, {'expires_ns': 100}, {'expires_ns': 101}, {'hops': 15}])
def test_what_is_good_up_to_the_limit_is_delivered(changes: dict[str, Any]) -> None:
    door, heard = intake(), []
    event = dataclasses.replace(GOOD, **changes)
    door.deliver(event, heard.append)
    assert heard == [event] and dict(door.counts) == {'delivered': 1}


def test_each_source_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    door = intake()
    for sender in ('one', 'two', 'one', 'one'):
        door.deliver(dataclasses.replace(GOOD, sender=sender, confidence=7.0), print)
    assert [r.levelname for r in caplog.records] == ['WARNING'] * 2
    assert "dropped a.b from 'one': malformed: a.b from 's': confidence must be in 0..1, got 7.0" in caplog.text
    assert door.counts['malformed'] == 4


def test_a_flood_of_sources_fills_neither_memory_nor_log(caplog: pytest.LogCaptureFixture) -> None:
    door = intake()
    for number in range(MAX_SOURCES * 3):
        door.deliver(dataclasses.replace(GOOD, sender=f'{number}' + 'x' * 10_000, type='X' * 10_000), print)
    assert len(caplog.records) == MAX_SOURCES and all(len(r.getMessage()) < 600 for r in caplog.records)
    assert door.counts['malformed'] == MAX_SOURCES * 3


def test_counts_have_few_keys_whatever_comes() -> None:
    door = intake()
    for number in range(50):
        door.deliver(dataclasses.replace(GOOD, type=f'X{number}'), print)
    assert set(door.counts) == {'malformed'}


def test_a_handler_that_fails_is_counted_and_named(caplog: pytest.LogCaptureFixture) -> None:
    door = intake()

    def broken(_: Event) -> None:
        raise RuntimeError('lens cap on')
    door.deliver(GOOD, broken)
    assert dict(door.counts) == {'failed': 1}
    assert 'the handler of a.b failed' in caplog.text and 'lens cap on' in caplog.text
