"""A throttled source: everything while there is room, less and less as it shrinks, all again at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.core.credit import Grants, Outlet
from loom.core.delivery import BATCHED, Delivery
from loom.core.event import Event
from loom.core.pacing import PLENTY, Throttle


@pytest.mark.parametrize(('room', 'level'), [
    (1000, 1.0), (PLENTY, 1.0), (PLENTY // 2, 0.5), (PLENTY // 4, 0.25), (0, 0.0), (-3, 0.0)])
def test_the_level_follows_the_room(room: int, level: float) -> None:
    throttle = Throttle()
    assert throttle.level(room) == level
    assert sum(throttle.admits(room) for _ in range(100)) == 100 * level == throttle.passed == 100 - throttle.held_back


def test_what_passes_is_spread_evenly() -> None:
    throttle = Throttle(plenty=3)
    assert [throttle.admits(1) for _ in range(9)] == [False, False, True] * 3


@given(st.lists(st.integers(0, 40), max_size=200))
def test_full_rate_is_back_at_once_and_nothing_passes_without_room(rooms: list[int]) -> None:
    throttle = Throttle()
    for room in rooms:
        assert not throttle.admits(room) or room > 0
    assert all(throttle.admits(PLENTY) for _ in range(50))


def test_a_source_that_asks_is_never_refused_and_keeps_pace_with_a_slow_reader() -> None:
    delivery, now = Delivery('TEST', depth=BATCHED.depth, policy='credit'), [0.0]
    sent: list[Event] = []
    outlet = Outlet('t', delivery, lambda event: (sent.append(event), len(sent) - 1)[1], lambda: now[0])
    grants, throttle, handled = Grants(delivery, lambda: now[0]), Throttle(), 0
    for step in range(20_000):
        now[0] += 0.002
        if throttle.admits(outlet.room()):
            outlet.offer(Event.create('a.b', step, source='s', stamp_ns=0))
            grants.heard(1, len(sent) - 1)
        if step % 10 == 0 and handled < len(sent):
            grants.consumed(1, handled)
            handled += 1
        for _, limit in grants.due():
            outlet.granted(1, limit, False)
    assert outlet.refused == len(outlet.held) == 0
    assert handled == 2000 and len(sent) - handled <= delivery.depth // 2
