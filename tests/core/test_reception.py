"""Where events come in: refused by reason, served by lane, shed from below, and every one accounted for."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.core import reception as module
from loom.core.clock import NANOSECONDS, ManualClock
from loom.core.delivery import BACKGROUND, BATCHED, REALTIME, STATE, Delivery, Policy
from loom.core.event import Event
from loom.core.inlet import FIRST_SENT, Inlet, first_sent_ns
from loom.core.reception import MAX_SOURCES, PASSED_OVER, Reception
from loom.core.wire import encode

NOW = 100 * NANOSECONDS
GOOD = Event.create('a.b', {'n': 1}, source='s', stamp_ns=0, sender='friend')


class Bench:
    """A reception with what it delivered, as data."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOW)
        self.reception = Reception(self.clock, logging.getLogger('test.reception'))
        self.heard: list[Any] = []

    def inlet(self, delivery: Delivery = REALTIME) -> Inlet:
        return self.reception.open('topic', lambda e: self.heard.append(e.data), delivery)

    def counts(self, event: Event) -> dict[str, int]:
        self.reception.take([self.inlet()], event)
        self.reception.serve()
        return self.reception.counts()


def event(data: Any = None, **fields: Any) -> Event:
    return Event.create(fields.pop('type', 'a.b'), data, source=fields.pop('source', 's'), stamp_ns=0, **fields)


@pytest.mark.parametrize(('changes', 'reason'), [
    ({'expires_ns': NOW - 1}, 'expired'), ({'hops': 16}, 'hop_limit'), ({'hops': 200, 'hop_limit': 3}, 'hop_limit'),
    ({'type': 'No Type'}, 'malformed'), ({'confidence': float('nan')}, 'malformed'), ({'id': ''}, 'malformed'),
    ({'stamp_ns': -1}, 'malformed'), ({'stamp_ns': NOW + 61 * NANOSECONDS}, 'future')])
def test_what_is_not_delivered_is_counted_by_reason(changes: dict[str, Any], reason: str) -> None:
    bench = Bench()
    assert bench.counts(dataclasses.replace(GOOD, **changes)) == {reason: 1} and not bench.heard


@pytest.mark.parametrize('changes', [{}, {'expires_ns': NOW}, {'expires_ns': NOW + 1}, {'hops': 15},
                                     {'stamp_ns': NOW + 59 * NANOSECONDS}])
def test_what_is_good_up_to_the_limit_is_delivered(changes: dict[str, Any]) -> None:
    bench = Bench()
    assert bench.counts(dataclasses.replace(GOOD, **changes)) == {'delivered': 1} and bench.heard == [{'n': 1}]


def test_before_the_clock_runs_no_stamp_is_from_the_future() -> None:
    bench = Bench()
    bench.clock = bench.reception._clock = ManualClock(0)
    assert bench.counts(dataclasses.replace(GOOD, stamp_ns=NOW * 10)) == {'delivered': 1}


def test_one_event_is_delivered_once_whoever_repeats_it() -> None:
    bench = Bench()
    inlet = bench.inlet()
    for writer, sequence in ((1, 0), (1, 0), (2, 7), (0, 0)):
        bench.reception.take([inlet], GOOD, writer, sequence)
    bench.reception.serve()
    assert bench.reception.counts() == {'delivered': 1, 'repeated': 1, 'duplicate': 2}


@pytest.mark.parametrize(('again', 'warned'), [({}, True), ({FIRST_SENT: '17'}, False)])
def test_what_was_sent_once_more_on_purpose_is_dropped_without_a_warning(caplog: pytest.LogCaptureFixture,
                                                                         again: dict[str, str], warned: bool) -> None:
    bench = Bench()
    inlet = bench.inlet()
    for metadata in ({}, again):
        bench.reception.take([inlet], dataclasses.replace(GOOD, metadata=metadata))
    bench.reception.serve()
    assert bench.reception.counts() == {'delivered': 1, 'duplicate': 1}
    assert ('duplicate' in caplog.text) is warned


@pytest.mark.parametrize(('given', 'known'), [
    ('', 5), ('7', 7), ('-7', 5), ('x', 5), ('1' * 20, 5), ('1' * 19, int('1' * 19))])
def test_when_an_event_was_first_sent(given: str, known: int) -> None:
    assert first_sent_ns(dataclasses.replace(GOOD, metadata={FIRST_SENT: given}, sent_ns=5)) == known


def test_gaps_in_the_numbers_are_losses_and_a_damaged_number_is_not_believed() -> None:
    bench = Bench()
    inlet = bench.inlet()
    for sequence in (3, 4, 8):
        bench.reception.take([inlet], encode(event(sequence), 5, sequence))
    damaged = bytearray(encode(event(), 5, 9))
    damaged[12:20] = (1 << 60).to_bytes(8, 'little')
    bench.reception.take([inlet], bytes(damaged))
    bench.reception.take([inlet], encode(event(10), 5, 10))
    bench.reception.serve()
    assert bench.heard == [3, 4, 8, 10]
    assert bench.reception.counts() == {'delivered': 4, 'lost': 4, 'malformed': 1}


@pytest.mark.parametrize('policy', ['drop_oldest', 'keep_latest', 'coalesce'])
def test_a_broken_event_is_in_the_books_once_whenever_it_is_looked_into(policy: Policy) -> None:
    bench = Bench()
    inlet = bench.inlet(Delivery('TEST', policy=policy))
    broken = bytearray(encode(event(), 3, 1))
    broken[-4:], broken[100:104] = bytes(4), b'\xff' * 4
    bench.reception.take([inlet], bytes(broken))
    bench.reception.serve()
    assert bench.reception.counts() == {'malformed': 1} and inlet.account.offered == 1


def test_each_source_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    for sender in ('one', 'two', 'one', 'one'):
        bench.counts(dataclasses.replace(GOOD, sender=sender, confidence=7.0))
    assert [r.levelname for r in caplog.records] == ['WARNING'] * 2
    assert "dropped a.b from 'one': malformed: a.b from 's': confidence must be in 0..1, got 7.0" in caplog.text


def test_a_flood_of_sources_fills_neither_memory_nor_log(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    inlet = bench.inlet(BATCHED)
    for number in range(MAX_SOURCES * 3):
        bench.reception.take([inlet], dataclasses.replace(GOOD, sender=f'{number}' + 'x' * 10_000, type='X' * 10_000))
    bench.reception.serve()
    assert len(caplog.records) == MAX_SOURCES and all(len(r.getMessage()) < 700 for r in caplog.records)
    assert bench.reception.counts() == {'malformed': MAX_SOURCES * 3}


def test_a_handler_that_fails_is_counted_and_named(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()

    def broken(_: Event) -> None:
        raise RuntimeError('lens cap on')
    bench.reception.take([bench.reception.open('t', broken, REALTIME)], GOOD)
    bench.reception.serve()
    assert bench.reception.counts() == {'failed': 1}
    assert 'the handler of a.b failed' in caplog.text and 'lens cap on' in caplog.text


def test_urgent_lanes_go_first_and_lower_ones_are_not_starved() -> None:
    bench = Bench()
    inlets = {name: bench.inlet(dataclasses.replace(d, depth=500))
              for name, d in (('low', BACKGROUND), ('middle', BATCHED), ('high', REALTIME))}
    for name, inlet in inlets.items():
        for number in range(100):
            bench.reception.take([inlet], event([name, number]))
    bench.reception.serve()
    order = [name for name, _ in bench.heard]
    assert order[:PASSED_OVER] == ['high'] * PASSED_OVER
    assert set(order[:PASSED_OVER + 2]) == {'high', 'middle', 'low'}
    assert order.index('low') < order.index('high', 60)
    for name in inlets:
        assert [number for n, number in bench.heard if n == name] == list(range(100))


def test_between_two_slow_ones_urgent_events_are_fetched() -> None:
    bench = Bench()
    urgent, slow = bench.inlet(REALTIME), bench.inlet(BACKGROUND)

    def poll(lane: int) -> None:
        assert lane == BACKGROUND.lane
        if len(bench.heard) == 1:
            bench.reception.take([urgent], event('now'))
    bench.reception._poll = poll
    for number in range(3):
        bench.reception.take([slow], event(number))
    bench.reception.serve()
    assert bench.heard == [0, 'now', 1, 2]


def test_the_lowest_lane_is_shed_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, 'MAX_BACKLOG', 10)
    bench = Bench()
    inlets = [bench.inlet(d) for d in (REALTIME, BATCHED, BACKGROUND)]
    for inlet in inlets:
        for number in range(5):
            bench.reception.take([inlet], event(number))
    assert [inlet.account.dropped['shed'] for inlet in inlets] == [0, 0, 5]
    for number in range(6):
        bench.reception.take([inlets[0]], event(number))
    assert [inlet.account.dropped['shed'] for inlet in inlets] == [1, 5, 5]


def test_a_budget_ends_the_serving_and_the_rest_waits() -> None:
    bench = Bench()
    for number in range(3):
        bench.reception.take([bench.inlet()], event(number))
    assert bench.reception.serve(0.0) and bench.heard == [0]
    assert not bench.reception.serve() and bench.heard == [0, 1, 2]


@pytest.mark.parametrize(('policy', 'heard', 'dropped'), [
    ('drop_oldest', [[1, 3], [0, 4], [1, 4]], {'overrun': 7}), ('keep_latest', [[0, 4], [1, 4]], {'superseded': 8}),
    ('coalesce', [[0, 4], [1, 4]], {'coalesced': 8}),
    ('sample', [[1, 0], [1, 1], [1, 3]], {'sampled': 6, 'overrun': 1}),
    ('credit', [[s, n] for n in range(5) for s in range(2)], {})])
def test_what_a_full_queue_does(policy: Policy, heard: list[Any], dropped: dict[str, int]) -> None:
    bench = Bench()
    inlet = bench.inlet(Delivery('TEST', depth=3, policy=policy))
    for number in range(5):
        for source in range(2):
            bench.reception.take([inlet], event([source, number], source=f's{source}'))
    bench.reception.serve()
    assert (bench.heard, dict(inlet.account.dropped)) == (heard, dropped)


def test_a_coalesced_event_says_for_how_many_it_stands() -> None:
    bench, counts = Bench(), []
    inlet = bench.reception.open('t', lambda e: counts.append(e.metadata), Delivery('TEST', policy='coalesce'))
    for _ in range(4):
        bench.reception.take([inlet], event())
    bench.reception.serve()
    assert counts == [{'coalesced': '4'}]


STEPS = st.lists(st.one_of(
    st.tuples(st.just('take'), st.integers(0, 2), st.integers(1, 3), st.integers(0, 12)),
    st.tuples(st.sampled_from(['serve', 'slice', 'bad', 'pause', 'resume', 'close']), st.integers(0, 2))), max_size=60)
POLICIES = st.lists(st.sampled_from(['drop_oldest', 'keep_latest', 'sample', 'coalesce', 'credit']),
                    min_size=3, max_size=3)


@settings(max_examples=200, deadline=None)
@given(steps=STEPS, policies=POLICIES, fails=st.booleans())
def test_the_books_balance_whatever_happens(steps: list[Any], policies: list[Policy], fails: bool) -> None:
    bench, calls = Bench(), [0, 0, 0]

    def handler(number: int) -> Any:
        def handle(_: Event) -> None:
            calls[number] += 1
            if fails and calls[number] % 2:
                raise ValueError('every other one')
        return handle
    inlets = [bench.reception.open(f't{n}', handler(n), Delivery(f'T{n}', depth=3, policy=policy, lane=n))
              for n, policy in enumerate(policies)]
    logging.disable(logging.CRITICAL)
    for step, number, *rest in steps:
        inlet = inlets[number]
        if step == 'take':
            writer, sequence = rest
            data = encode(event(sequence, expires_ns=1 if sequence == 5 else 0), writer, sequence)
            bench.reception.take([inlet], data)
        elif step == 'bad':
            bench.reception.take([inlet], b'\x00\x01\x00\x00' + b'\xff' * 80)
        elif step in ('serve', 'slice'):
            bench.reception.serve(0.0 if step == 'slice' else 1.0)
        elif step == 'pause':
            inlet.paused = True
        elif step == 'resume':
            bench.reception.resume(inlet)
        else:
            bench.reception.close(inlet)
        for n, each in enumerate(inlets):
            assert each.account.unexplained(len(each.queue)) == 0
            assert each.account.delivered == calls[n]
        assert bench.reception.backlog == sum(len(each.queue) for each in inlets)
    logging.disable(logging.NOTSET)


def test_a_state_is_heard_once_for_each_source() -> None:
    bench = Bench()
    inlet = bench.inlet(STATE)
    for number in range(3):
        bench.reception.take([inlet], event(number, source='kitchen'))
    bench.reception.serve()
    assert bench.heard == [2]
