"""Credit: nothing is lost between a fast writer and slow readers, and who is gone holds nobody up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.core.credit import (
    FORGET_S,
    LATE_S,
    LEASE_S,
    MAX_HELD_BYTES,
    RENEW_S,
    Grants,
    Outlet,
    reader_of,
    tag_of,
)
from loom.core.delivery import Delivery
from loom.core.errors import BusyError
from loom.core.event import Event

CREDIT = Delivery('TEST', depth=40, policy='credit')


class Wire:
    """An outlet and what it sent, with a clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.full = False
        self.sent: list[Any] = []
        self.outlet = Outlet('t', CREDIT, self._send, lambda: self.now)

    def _send(self, event: Event) -> int:
        if self.full:
            raise BusyError('DDS took no event')
        self.sent.append(event.data)
        return len(self.sent) - 1

    def offer(self, number: Any) -> None:
        self.outlet.offer(Event.create('a.b', number, source='s', stamp_ns=0))


def test_without_a_reader_that_grants_everything_goes_out() -> None:
    wire = Wire()
    for number in range(500):
        wire.offer(number)
    assert wire.sent == list(range(500)) and wire.outlet.room() == CREDIT.depth


def test_the_slowest_reader_counts_and_what_waits_goes_out_in_order() -> None:
    wire = Wire()
    wire.outlet.granted(1, 10, False)
    wire.outlet.granted(2, 3, False)
    for number in range(8):
        wire.offer(number)
    assert wire.sent == [0, 1, 2] and wire.outlet.room() == 0
    wire.outlet.granted(2, 6, False)
    assert wire.sent == [0, 1, 2, 3, 4, 5]
    wire.outlet.granted(2, 100, False)
    assert wire.sent == list(range(8)) and wire.outlet.room() == 2


def test_a_reader_that_ends_or_falls_silent_holds_nobody_up() -> None:
    wire = Wire()
    wire.outlet.granted(1, 1, False)
    wire.outlet.granted(2, 2, False)
    for number in range(4):
        wire.offer(number)
    assert wire.sent == [0]
    wire.outlet.granted(1, 1, True)
    assert wire.sent == [0, 1]
    wire.now += LEASE_S + 0.1
    wire.outlet.flush()
    assert wire.sent == [0, 1, 2, 3]


def test_a_reader_that_missed_a_renewal_counts_as_long_as_its_participant_is_there() -> None:
    wire, there, gone = Wire(), tag_of(b'first'), tag_of(b'second')
    wire.outlet.granted(reader_of(gone, 5), 1, False)
    wire.outlet.granted(reader_of(there, 5), 2, False)
    wire.outlet.granted(5, 3, False)
    for number in range(4):
        wire.offer(number)
    assert not wire.outlet.late()
    wire.outlet.forget_absent({there})
    wire.outlet.flush()
    assert wire.sent == [0], 'who has just granted something is there'
    wire.now += LATE_S + 0.01
    assert wire.outlet.late()
    wire.outlet.forget_absent({there})
    wire.outlet.flush()
    assert wire.sent == [0, 1]
    wire.outlet.forget_absent({gone})
    wire.outlet.flush()
    assert wire.sent == [0, 1, 2], 'of one nobody knows whose it is: only its silence counts'
    wire.now += LEASE_S - LATE_S
    wire.outlet.flush()
    assert wire.sent == [0, 1, 2, 3]


def test_too_many_that_wait_are_refused_to_whoever_publishes() -> None:
    wire = Wire()
    wire.outlet.granted(1, 0, False)
    for number in range(CREDIT.depth):
        wire.offer(number)
    with pytest.raises(BusyError, match='40 events wait for a slow reader, at most 40 may; ask room'):
        wire.offer('one more')
    assert wire.outlet.refused == 1
    wire.outlet.granted(1, 1000, False)
    assert wire.sent == list(range(CREDIT.depth))


def test_what_dds_does_not_take_in_time_waits_and_goes_out_in_order() -> None:
    wire = Wire()
    wire.offer(0)
    wire.full = True
    for number in range(1, 4):
        wire.offer(number)
    wire.outlet.flush()
    assert wire.sent == [0] and [event.data for event in wire.outlet.held] == [1, 2, 3]
    wire.full = False
    wire.outlet.flush()
    assert wire.sent == [0, 1, 2, 3] and not wire.outlet.held and wire.outlet.published == 4


def test_what_waits_is_bounded_in_bytes_too() -> None:
    wire = Wire()
    wire.outlet.granted(1, 0, False)
    with pytest.raises(BusyError):
        for _ in range(CREDIT.depth):
            wire.offer('x' * 900_000)
    assert sum(len(event.payload) for event in wire.outlet.held) < MAX_HELD_BYTES


def test_credit_is_told_at_once_then_by_quarters_and_renewed() -> None:
    now = [50.0]
    grants = Grants(CREDIT, lambda: now[0])
    assert grants.due() == []
    grants.heard(7, 100)
    assert grants.due() == [(7, 120)] and grants.due() == []
    for sequence in range(100, 105):
        grants.heard(7, sequence)
        grants.consumed(7, sequence)
    assert grants.due() == [(7, 125)]
    now[0] += RENEW_S
    assert grants.due() == [(7, 125)]
    now[0] += FORGET_S + 0.1
    assert grants.due() == [] and grants._sources == {}


def test_writers_share_the_window() -> None:
    grants = Grants(CREDIT)
    for writer in (1, 2, 3, 4):
        grants.heard(writer, 0)
    assert grants.due() == [(writer, 5) for writer in (1, 2, 3, 4)]


def test_only_the_credit_policy_grants() -> None:
    grants = Grants(Delivery('TEST'))
    grants.heard(1, 0)
    grants.consumed(1, 0)
    assert grants.due() == []


@settings(max_examples=100, deadline=None)
@given(speeds=st.lists(st.integers(1, 7), min_size=1, max_size=3), bursts=st.lists(st.integers(0, 30), max_size=60))
def test_nothing_accepted_is_lost_and_no_queue_passes_the_window(speeds: list[int], bursts: list[int]) -> None:
    wire, readers = Wire(), [Grants(CREDIT, lambda: 1.0) for _ in speeds]
    for reader in readers:
        wire.outlet.granted(reader.number, CREDIT.depth // 2, False)
    taken, handled, accepted = [0] * len(speeds), [0] * len(speeds), 0

    def step(offered: int) -> int:
        refused = 0
        for _ in range(offered):
            try:
                wire.offer(accepted + offered)
            except BusyError:
                refused += 1
        for index, (reader, speed) in enumerate(zip(readers, speeds)):
            for sequence in range(taken[index], len(wire.sent)):
                reader.heard(1, sequence)
            taken[index] = len(wire.sent)
            assert taken[index] - handled[index] <= CREDIT.depth
            for _ in range(min(speed, taken[index] - handled[index])):
                reader.consumed(1, handled[index])
                handled[index] += 1
            for _, limit in reader.due():
                wire.outlet.granted(reader.number, limit, False)
        return offered - refused
    for burst in bursts:
        accepted += step(burst)
    while min(handled) < accepted:
        before = sum(handled)
        step(0)
        assert sum(handled) > before
    assert len(wire.sent) == accepted
