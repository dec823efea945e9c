"""Chains from sensor to actuator: parts and whole agree, the memory is bounded, lies are left out."""

from __future__ import annotations

import pytest

from loom.core.event import Event, Hop
from loom.core.ledger import MAX_CHAINS, MAX_SAMPLES, Ledger, parts_us, quantile

S = 1_000_000_000
US = 1000


def chain(event: Event, *stages: str, took_us: tuple[int, int, int] = (100, 20, 300)) -> tuple[Event, int]:
    """The event after each stage received it, waited and sent a new one; and the wall clock of the last sending."""
    now_ns = event.sent_ns
    for stage in stages:
        arrived_ns = now_ns + took_us[0] * US
        event = event.arrived(arrived_ns, arrived_ns + took_us[1] * US)
        now_ns = event.began_ns + took_us[2] * US
        event = event.child('a', source=stage, stamp_ns=0).sending(now_ns)
    return event, now_ns


def test_the_parts_of_a_chain_are_its_whole() -> None:
    seen = Event('sensor.message', 'camera', 0, sent_ns=S, origin_ns=S)
    event, end_ns = chain(seen, 'salience', 'guard', 'safety')
    assert event.path == tuple(Hop(stage, 100, 20, 300) for stage in ('salience', 'guard', 'safety'))
    assert event.origin_ns == S and parts_us(event.path) == (end_ns - S) / US == 3 * 420
    ledger = Ledger()
    ledger.ended(event.origin_ns, event.path, end_ns)
    summary, = ledger.report(end_ns)
    assert (summary.chain, summary.count, summary.late) == ('salience > guard > safety', 1, 0)
    assert summary.p50_ms == summary.p99_ms == pytest.approx(1.26) and summary.sum_error_pct == 0.0
    assert summary.stages == ('salience', 'guard', 'safety') and summary.transport_p50_ms == (0.1, 0.1, 0.1)
    assert summary.queue_p50_ms == (0.02,) * 3 and summary.compute_p50_ms == (0.3,) * 3
    assert summary.total_p99_ms == pytest.approx((0.42,) * 3)


def test_what_the_parts_do_not_explain_is_shown() -> None:
    ledger = Ledger()
    ledger.ended(S, (Hop('safety', 40, 0, 50),), S + 100 * US)
    assert ledger.report(S)[0].sum_error_pct == pytest.approx(10.0)


def test_only_the_last_minute_counts() -> None:
    ledger = Ledger()
    for second, compute_us in ((1, 9000), (70, 1000), (71, 2000), (72, 3000)):
        ledger.ended(second * S, (Hop('safety', 0, 0, compute_us),), second * S + compute_us * US)
    summary, = ledger.report(100 * S)
    assert (summary.count, summary.p50_ms, summary.p99_ms) == (4, 2.0, 3.0)
    quiet, = ledger.report(1000 * S)
    assert (quiet.count, quiet.p50_ms, quiet.compute_p50_ms) == (4, 0.0, (0.0,))


def test_what_came_too_late_is_counted_at_the_stage_that_dropped_it() -> None:
    ledger = Ledger()
    event, _ = chain(Event('a', 'camera', 0, sent_ns=S, origin_ns=S), 'salience')
    ledger.late(event, 'guard')
    ledger.late(event, 'guard')
    summary, = ledger.report(S)
    assert (summary.chain, summary.count, summary.late) == ('salience > guard', 0, 2)


@pytest.mark.parametrize(('origin_ns', 'length'), [(0, 1), (2 * S, 1), (1, 0), (1, 65)])
def test_a_chain_that_cannot_be_true_is_left_out(origin_ns: int, length: int) -> None:
    ledger = Ledger()
    ledger.ended(origin_ns, (Hop('x'),) * length, S)
    assert ledger.report(S) == []


def test_memory_is_bounded() -> None:
    ledger = Ledger()
    for number in range(3 * MAX_CHAINS):
        ledger.ended(1, (Hop('camera' * 100), Hop(f's{number}')), 2)
    for _ in range(2 * MAX_SAMPLES):
        ledger.ended(1, (Hop('busy'),), 2)
    report = ledger.report(2)
    assert len(report) == MAX_CHAINS and report[-1].count == 2 * MAX_SAMPLES
    assert report[-2].chain.endswith(f's{3 * MAX_CHAINS - 1}') and len(report[-2].stages[0]) == 64


def test_quantiles() -> None:
    assert [quantile([3, 1, 2], share) for share in (0.0, 0.5, 0.99)] == [1, 2, 3] and quantile([], 0.5) == 0
