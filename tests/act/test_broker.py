"""The broker while who can do something is away: calls wait for him, within their time."""

from __future__ import annotations

from typing import Any

import pytest

from loom.act import broker as broking
from loom.act.broker import AWAY_S, ActionBroker
from loom.act.capability import AWAY, BAD_ARGUMENTS, CANCELLED, Capability
from loom.core.clock import NANOSECONDS, ManualClock
from loom.core.event import Event
from loom.core.local_bus import LocalBus

SCHEMA = {'type': 'object', 'properties': {'laps': {'type': 'integer'}}}
PATROL = Capability('patrol', 'guard', 'Walk.', SCHEMA)
STEP_S = 0.1


class Bench:
    """A broker whose agent's host is down, in a time that the test moves; what it tells whom."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall, self.clock = ManualClock(NANOSECONDS), ManualClock(NANOSECONDS)
        monkeypatch.setattr(broking, 'wall_ns', self.wall.now_ns)
        self.bus = LocalBus(self.clock)
        self.broker = ActionBroker(self.bus, self.clock)
        self.broker.open()
        self.asked: list[Event] = []
        self.outcomes: list[dict[str, Any]] = []
        self.feedback: list[str] = []
        self.bus.receive('guard', lambda e: self.asked.append(e) if e.type == 'capability.call' else None)
        self.broker.update('host', (), (PATROL,))

    def call(self, timeout_s: float, call_id: str = 'c', **arguments: Any) -> None:
        self.broker.invoke('patrol', arguments, call_id * 32, timeout_s, self.outcomes.append,
                           lambda data: self.feedback.append(data['status']))

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP_S)):
            self.wall.advance(STEP_S)
            # Simulated time that was not heard of yet is 0.
            self.clock.advance(STEP_S if self.clock.now_ns() else 0.0)
            self.broker.tick()


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def test_a_call_waits_for_the_host_and_is_carried_out_in_what_is_left_of_its_time(bench: Bench) -> None:
    bench.call(5.0, laps=2)
    bench.pass_time(3.0)
    assert (bench.asked, bench.outcomes, bench.feedback) == ([], [], ['waiting'])
    bench.broker.update('host', (PATROL,))
    assert bench.feedback == ['waiting', 'accepted'] and not bench.outcomes
    asked, = bench.asked
    assert asked.data['arguments'] == {'laps': 2} and asked.data['timeout_s'] == pytest.approx(2.0)


@pytest.mark.parametrize(('timeout_s', 'ended_s'), [(3.0, 3.0), (30.0, AWAY_S), (0.0, AWAY_S)])
def test_it_waits_until_its_time_is_over_and_never_for_long(bench: Bench, timeout_s: float, ended_s: float) -> None:
    bench.call(timeout_s)
    bench.pass_time(ended_s - 2 * STEP_S)
    assert not bench.outcomes
    bench.pass_time(3 * STEP_S)
    assert [outcome['error_code'] for outcome in bench.outcomes] == [AWAY]
    assert "the host of its agent 'guard' is down; call it again when it is back" in bench.outcomes[0]['error_msg']
    # Whoever asks with this id once more gets the same.
    bench.broker.update('host', (PATROL,))
    bench.call(timeout_s)
    assert [outcome['error_code'] for outcome in bench.outcomes] == [AWAY, AWAY] and not bench.asked


def test_what_waits_is_refused_when_the_host_is_back_and_wants_other_arguments(bench: Bench) -> None:
    bench.call(5.0, laps='many')
    bench.broker.update('host', (PATROL,))
    assert [outcome['error_code'] for outcome in bench.outcomes] == [BAD_ARGUMENTS] and not bench.asked


def test_what_waits_can_be_cancelled(bench: Bench) -> None:
    bench.call(5.0)
    bench.broker.cancel('c' * 32)
    bench.broker.update('host', (PATROL,))
    assert [outcome['error_code'] for outcome in bench.outcomes] == [CANCELLED] and not bench.asked


def test_another_host_that_can_do_it_does_it_at_once(bench: Bench) -> None:
    bench.broker.update('other', (PATROL,))
    bench.call(5.0)
    assert bench.feedback == ['accepted'] and len(bench.asked) == 1


def test_a_host_that_comes_back_without_it_leaves_it_unknown(bench: Bench) -> None:
    bench.call(5.0)
    bench.broker.update('host', ())
    assert [outcome['error_code'] for outcome in bench.outcomes] == [101]


def test_a_call_waits_until_the_broker_knows_the_time(bench: Bench) -> None:
    bench.broker.update('host', (PATROL,))
    bench.clock.advance(-bench.clock.now_ns() / NANOSECONDS)
    bench.call(5.0)
    bench.call(5.0, 'd', laps='many')
    assert [outcome['error_code'] for outcome in bench.outcomes] == [BAD_ARGUMENTS]
    bench.pass_time(1.0)
    assert not bench.asked and bench.feedback == ['waiting']
    bench.clock.advance(100.0)
    bench.broker.tick()
    asked, = bench.asked
    assert asked.data['timeout_s'] == pytest.approx(4.0) and asked.expires_ns > 104 * NANOSECONDS
    bench.pass_time(3.0)
    assert len(bench.outcomes) == 1


def test_without_any_time_a_call_is_refused_in_the_end(bench: Bench) -> None:
    bench.broker.update('host', (PATROL,))
    bench.clock.advance(-bench.clock.now_ns() / NANOSECONDS)
    bench.call(0.0)
    bench.pass_time(AWAY_S + STEP_S)
    assert [outcome['error_code'] for outcome in bench.outcomes] == [AWAY]
    assert 'use_sim_time is set and nobody publishes clock' in bench.outcomes[0]['error_msg']
