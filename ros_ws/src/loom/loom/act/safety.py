"""The last word on every motion: a pure function from what is known and what is asked to what is done."""

from __future__ import annotations

import math
from dataclasses import dataclass

from loom.act.body import Floats
from loom.act.corridor import free_distance, safe_speed
from loom.guard.limits import Footprint, Limits

OK, CLAMPED, OBSTACLE, COMMAND_TIMEOUT, EMERGENCY_STOP, STALE_SENSOR, REFUSED, FOREIGN_PUBLISHER = (
    0, 601, 602, 603, 604, 605, 606, 607)
STANDING = 1e-3


@dataclass(frozen=True)
class Command:
    """A proposal: m/s ahead, rad/s to the left; `stamp_ns` when decided, `origin_ns` of the picture it is based on."""

    linear: float
    angular: float
    agent: str = ''
    lane: int = 10
    sequence: int = 0
    stamp_ns: int = 0
    time_to_live_s: float = 0.4
    origin_ns: int = 0


@dataclass(frozen=True)
class State:
    """What is known when a decision is made; `points` are what the scan met, (n, 2) in base_link."""

    linear: float
    angular: float
    elapsed_s: float
    points: Floats | None
    scan_age_s: float
    estop: str = ''
    foreign_publishers: int = 0


@dataclass(frozen=True)
class Decision:
    """The speeds to be sent to the wheels, with the code and reason of the strictest rule that changed them."""

    linear: float
    angular: float
    code: int = OK
    reason: str = ''


def decide(state: State, command: Command | None, limits: Limits, footprint: Footprint) -> Decision:
    """The motion that is safe now; no command means slowing to a stand."""
    if state.estop:
        return Decision(0.0, 0.0, EMERGENCY_STOP, f'{state.estop}; a person resets it with safety/reset_estop')
    if state.foreign_publishers:
        return Decision(0.0, 0.0, FOREIGN_PUBLISHER,
                        f'only safety may publish cmd_vel, {state.foreign_publishers} others do; end them')
    if command is None and state.linear == 0.0 and state.angular == 0.0:
        return Decision(0.0, 0.0, OK, 'standing, nobody proposes a motion')
    wanted = _clamped(command, limits)
    linear = _ramp(state.linear, wanted.linear, state.elapsed_s, limits.max_acceleration_m_s2,
                   limits.max_braking_m_s2)
    turning = limits.max_turn_acceleration_rad_s2
    angular = _ramp(state.angular, wanted.angular, state.elapsed_s, turning, turning)
    moved = Decision(linear, angular, wanted.code, wanted.reason)
    if wanted.code == OK and (abs(linear - wanted.linear) > STANDING or abs(angular - wanted.angular) > STANDING):
        moved = Decision(linear, angular, CLAMPED, 'acceleration is limited')
    return _separated(moved, wanted, state, limits, footprint)


def _clamped(command: Command | None, limits: Limits) -> Decision:
    if command is None:
        return Decision(0.0, 0.0, COMMAND_TIMEOUT, f'no valid proposal for {limits.silence_s:g} s')
    speed, turn = limits.max_speed_m_s, limits.max_turn_rad_s
    linear = min(max(command.linear, -speed), speed)
    angular = min(max(command.angular, -turn), turn)
    if linear != command.linear or angular != command.angular:
        return Decision(linear, angular, CLAMPED, f'speed must be at most {speed:g} m/s and {turn:g} rad/s, '
                        f'got {command.linear:.2f} and {command.angular:.2f}')
    return Decision(linear, angular)


def _ramp(current: float, wanted: float, elapsed_s: float, gain: float, loss: float) -> float:
    braking = wanted * current < 0 or abs(wanted) < abs(current)
    if wanted * current < 0:
        wanted = 0.0
    step = (loss if braking else gain) * elapsed_s
    return min(max(wanted, current - step), current + step)


def _separated(moved: Decision, wanted: Decision, state: State, limits: Limits, footprint: Footprint) -> Decision:
    if abs(moved.linear) < STANDING and abs(wanted.linear) < STANDING:
        return moved
    direction = moved.linear if abs(moved.linear) >= STANDING else wanted.linear
    if state.points is None or state.scan_age_s > limits.scan_age_s:
        age = 'missing' if state.points is None else f'{state.scan_age_s:.2f} s old'
        return Decision(0.0, moved.angular, STALE_SENSOR,
                        f'the scan must be at most {limits.scan_age_s:g} s old to drive by, it is {age}')
    free_m = free_distance(state.points, direction, moved.angular / direction, footprint)
    allowed = safe_speed(free_m, limits.max_braking_m_s2, limits.latency_s)
    if abs(moved.linear) <= allowed and (allowed > STANDING or abs(wanted.linear) < STANDING):
        return moved
    linear = math.copysign(min(allowed, abs(moved.linear)), moved.linear)
    side = 'ahead' if direction > 0 else 'behind'
    return Decision(linear, moved.angular, OBSTACLE, f'the way {side} is free for {max(free_m, 0.0):.2f} m only')
