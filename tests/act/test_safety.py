"""The safety kernel: no proposal, scan or silence leads to an unsafe motion."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.act import safety
from loom.act.corridor import free_distance, safe_speed
from loom.act.kernel import SafetyKernel
from loom.act.safety import Command, State, decide
from loom.core.clock import NANOSECONDS
from loom.core.errors import ConfigError
from loom.guard.limits import Footprint, Limits

LIMITS, FOOTPRINT = Limits(), Footprint()
NOTHING = np.zeros((0, 2))
WALL = np.array([[0.5, y] for y in np.linspace(-1, 1, 41)])


def state(linear: float = 0.0, angular: float = 0.0, points: np.ndarray | None = NOTHING, **changes: object) -> State:
    return State(**{'linear': linear, 'angular': angular, 'elapsed_s': 0.05, 'points': points, 'scan_age_s': 0.1,
                    **changes})  # type: ignore[arg-type]


def settle(command: Command | None, points: np.ndarray | None = NOTHING, steps: int = 100) -> safety.Decision:
    decision = safety.Decision(0.0, 0.0)
    for _ in range(steps):
        decision = decide(state(decision.linear, decision.angular, points), command, LIMITS, FOOTPRINT)
    return decision


def test_speeds_are_clamped_with_the_reason() -> None:
    decision = settle(Command(2.0, -9.0))
    assert (decision.linear, decision.angular, decision.code) == (0.6, -1.5, safety.CLAMPED)
    assert 'at most 0.6 m/s' in decision.reason


def test_acceleration_is_limited_and_said() -> None:
    decision = decide(state(), Command(0.5, 0.0), LIMITS, FOOTPRINT)
    assert decision.linear == pytest.approx(0.04)
    assert decision.code == safety.CLAMPED


def test_silence_ramps_to_zero() -> None:
    decision = decide(state(0.6, 1.0), None, LIMITS, FOOTPRINT)
    assert decision.code == safety.COMMAND_TIMEOUT
    assert 0.5 < decision.linear < 0.6
    assert decide(state(0.02), None, LIMITS, FOOTPRINT).linear == 0.0


def test_estop_and_foreign_publishers_stop_at_once() -> None:
    stopped = decide(state(0.6, 1.0, estop='pressed'), Command(0.5, 0.0), LIMITS, FOOTPRINT)
    foreign = decide(state(0.6, 1.0, foreign_publishers=2), Command(0.5, 0.0), LIMITS, FOOTPRINT)
    assert (stopped.linear, stopped.angular, stopped.code) == (0.0, 0.0, safety.EMERGENCY_STOP)
    assert (foreign.linear, foreign.angular, foreign.code) == (0.0, 0.0, safety.FOREIGN_PUBLISHER)


@pytest.mark.parametrize('changes', [{'points': None}, {'scan_age_s': 0.31}])
def test_without_a_fresh_scan_it_turns_but_does_not_drive(changes: dict[str, object]) -> None:
    decision = decide(state(0.3, 0.5, **changes), Command(0.3, 0.5), LIMITS, FOOTPRINT)
    assert (decision.linear, decision.angular, decision.code) == (0.0, 0.5, safety.STALE_SENSOR)


def test_it_stops_before_a_wall_but_turns_and_backs_away() -> None:
    near = WALL - [0.3, 0.0]
    assert settle(Command(0.3, 0.0), near).linear == 0.0
    assert settle(Command(0.3, 0.0), near).code == safety.OBSTACLE
    assert settle(Command(0.0, 1.0), near).angular == 1.0
    assert settle(Command(-0.3, 0.0), near).linear == -0.3


@given(st.floats(0.4, 4.0), st.floats(0.0, 0.6), st.floats(-1.5, 1.5))
def test_a_robot_driven_at_a_wall_never_touches_it(distance: float, speed: float, turn: float) -> None:
    x = y = yaw = 0.0
    decision = safety.Decision(0.0, 0.0)
    world = WALL + [distance - 0.5, 0.0]
    for _ in range(120):
        c, s = math.cos(yaw), math.sin(yaw)
        seen = (world - [x, y]) @ np.array([[c, -s], [s, c]])
        decision = decide(state(decision.linear, decision.angular, seen), Command(speed, turn), LIMITS, FOOTPRINT)
        if decision.linear == 0.0 and decision.code == safety.OBSTACLE:
            break
        x, y, yaw = x + decision.linear * c * 0.05, y + decision.linear * s * 0.05, yaw + decision.angular * 0.05
        body = (world - [x, y]) @ np.array([[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]])
        ahead = (np.abs(body[:, 1]) < 0.15) & (body[:, 0] > 0) & (body[:, 0] < FOOTPRINT.front_m)
        assert not ahead.any() or abs(decision.linear) < 1e-9 or decision.angular != 0.0


@given(st.floats(), st.floats(), st.floats(-0.6, 0.6), st.floats(-1.5, 1.5), st.booleans())
def test_no_decision_exceeds_the_limits(linear: float, angular: float, v: float, w: float, wall: bool) -> None:
    kernel = SafetyKernel(LIMITS, FOOTPRINT)
    command = Command(linear, angular, 'a', 10, 1, 0)
    refused = kernel.offer(command, 0, 0.0)
    assert bool(refused) == (not (math.isfinite(linear) and math.isfinite(angular)))
    decision = decide(state(v, w, WALL if wall else NOTHING), kernel.in_force(0, 0.0), LIMITS, FOOTPRINT)
    assert abs(decision.linear) <= LIMITS.max_speed_m_s + 1e-9
    assert abs(decision.angular) <= LIMITS.max_turn_rad_s + 1e-9
    assert abs(decision.linear) - abs(v) <= LIMITS.max_acceleration_m_s2 * 0.05 + 1e-9


def offer(kernel: SafetyKernel, at_s: float = 0.0, **changes: object) -> str:
    command = Command(**{'linear': 0.2, 'angular': 0.0, 'agent': 'navigator', 'lane': 20, 'sequence': 1,
                         'stamp_ns': round(at_s * NANOSECONDS), **changes})  # type: ignore[arg-type]
    return kernel.offer(command, round(at_s * NANOSECONDS), at_s)


@pytest.mark.parametrize(('changes', 'reason'), [
    ({'linear': math.nan}, 'speeds must be finite'),
    ({'angular': math.inf}, 'speeds must be finite'),
    ({'time_to_live_s': 0.6}, 'time_to_live must be above 0 and at most 0.5 s, got 0.6'),
    ({'time_to_live_s': 0.0}, 'time_to_live'),
    ({'stamp_ns': 8 * NANOSECONDS}, 'the stamp must be at most'),
    ({'stamp_ns': 11 * NANOSECONDS}, 'its age is -1.000 s'),
    ({'lane': 7}, 'a lane of'),
    ({'agent': ''}, 'needs an agent'),
])
def test_bad_proposals_are_refused_with_the_rule(changes: dict[str, object], reason: str) -> None:
    kernel = SafetyKernel(LIMITS, FOOTPRINT)
    assert reason in offer(kernel, 10.0, **changes)
    assert kernel.in_force(10 * NANOSECONDS, 10.0) is None
    assert kernel.counts == {'refused': 1}


def test_a_replayed_sequence_is_refused_until_its_agent_starts_anew() -> None:
    kernel = SafetyKernel(LIMITS, FOOTPRINT)
    assert offer(kernel, 0.0, sequence=5) == ''
    assert 'sequence must rise, got 5 after 5' in offer(kernel, 0.1, sequence=5)
    assert offer(kernel, 2.0, sequence=1) == ''


def test_the_higher_lane_wins_while_it_is_fresh_and_a_lane_has_one_holder() -> None:
    kernel = SafetyKernel(LIMITS, FOOTPRINT)
    assert offer(kernel, agent='navigator') == ''
    assert "'navigator' holds lane 20 now" in offer(kernel, agent='other')
    assert offer(kernel, agent='human', lane=40, time_to_live_s=0.1) == ''
    assert kernel.in_force(0, 0.0).agent == 'human'
    assert kernel.in_force(200_000_000, 0.2).agent == 'navigator'
    assert kernel.in_force(600_000_000, 0.6) is None


def test_silence_counts_on_the_monotonic_clock_too() -> None:
    kernel = SafetyKernel(LIMITS, FOOTPRINT)
    offer(kernel)
    assert kernel.in_force(0, 0.41) is None


def test_estop_stays_until_reset_and_then_needs_a_new_proposal() -> None:
    kernel = SafetyKernel(LIMITS, FOOTPRINT)
    kernel.see(NOTHING, 0, 0, 0.0)
    kernel.stop('button')
    kernel.stop('again')
    offer(kernel)
    decision, command = kernel.step(0, 0.0)
    assert (decision.linear, decision.code, kernel.estop) == (0.0, safety.EMERGENCY_STOP, 'button')
    kernel.reset()
    assert kernel.step(0, 0.0)[1] is None
    assert offer(kernel, 0.01, sequence=2) == ''
    kernel.step(10_000_000, 0.01)
    assert kernel.step(60_000_000, 0.06)[0].linear > 0


def test_a_stale_scan_is_noticed_by_stamp_and_by_silence() -> None:
    kernel = SafetyKernel(LIMITS, FOOTPRINT)
    kernel.see(NOTHING, 0, 0, 0.0)
    offer(kernel, 0.5)
    assert kernel.step(500_000_000, 0.5)[0].code == safety.STALE_SENSOR
    kernel.see(NOTHING, 500_000_000, 500_000_000, 0.5)
    assert kernel.step(500_000_000, 0.55)[0].code == safety.CLAMPED


def test_a_scan_from_the_future_or_the_past_is_not_used() -> None:
    kernel = SafetyKernel(LIMITS, FOOTPRINT)
    kernel.see(NOTHING, NANOSECONDS, NANOSECONDS, 1.0)
    kernel.see(WALL, 3600 * NANOSECONDS, NANOSECONDS, 1.0)
    kernel.see(WALL, 0, NANOSECONDS, 1.0)
    assert kernel.counts['scans_refused'] == 2
    kernel.see(NOTHING, 0, 0, 2.5)
    assert kernel.counts['scans_refused'] == 2


def test_free_distance_knows_arcs_and_both_directions() -> None:
    left = np.array([[0.8, 0.8]])
    assert free_distance(left, 1.0, 0.0, FOOTPRINT) == math.inf
    assert free_distance(left, 1.0, 1 / 0.8, FOOTPRINT) == pytest.approx(0.8 * (math.pi / 2 - math.asin(0.21 / 0.8)))
    assert free_distance(left, 1.0, -1 / 0.8, FOOTPRINT) == math.inf
    assert free_distance(-left, -1.0, 1 / 0.8, FOOTPRINT) == math.inf
    assert 0.9 < free_distance(-left, -1.0, -1 / 0.8, FOOTPRINT) < 1.1
    assert free_distance(NOTHING, 1.0, 0.0, FOOTPRINT) == math.inf


@given(st.floats(0.0, 10.0), st.floats(0.1, 5.0), st.floats(0.0, 1.0))
def test_the_safe_speed_stops_within_the_free_distance(free: float, braking: float, latency: float) -> None:
    speed = safe_speed(free, braking, latency)
    assert speed ** 2 / (2 * braking) + speed * latency <= free + 1e-6


def test_limits_are_checked() -> None:
    with pytest.raises(ConfigError, match='max_speed_m_s must be above 0'):
        Limits(max_speed_m_s=0.0)
