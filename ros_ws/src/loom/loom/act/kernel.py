"""SafetyKernel: which proposal is in force, what is known, and the decision that follows."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from dataclasses import dataclass

from loom.act.body import Floats
from loom.act.safety import Command, Decision, State, decide
from loom.core.clock import NANOSECONDS
from loom.guard.limits import Footprint, Limits

FUTURE_S = 0.1
NEW_LIFE_S = 1.0
MAX_AGENTS = 64
MAX_STEP_S = 0.1
LANES = (10, 20, 30, 40)


@dataclass(frozen=True)
class Held:
    """A proposal with the monotonic time it came at, in seconds."""

    command: Command
    arrived_s: float


class SafetyKernel:
    """Holds one proposal for each lane; times are the node clock (`now_ns`) and a monotonic one (`at_s`)."""

    def __init__(self, limits: Limits, footprint: Footprint) -> None:
        self.limits = limits
        self.footprint = footprint
        self.counts: Counter[str] = Counter()
        self.estop = ''
        self.foreign_publishers = 0
        self.decision = Decision(0.0, 0.0)
        self._lanes: dict[int, Held] = {}
        self._last: OrderedDict[str, Held] = OrderedDict()
        self._points: Floats | None = None
        self._scan_ns = 0
        self._scan_at_s = 0.0
        self._stepped_s = -math.inf

    def offer(self, command: Command, now_ns: int, at_s: float) -> str:
        """Takes a proposal, or says which rule it breaks."""
        reason = self._refusal(command, now_ns, at_s)
        self.counts['refused' if reason else 'accepted'] += 1
        if not reason:
            held = Held(command, at_s)
            self._lanes[command.lane] = held
            self._last[command.agent] = held
            self._last.move_to_end(command.agent)
            if len(self._last) > MAX_AGENTS:
                self._last.popitem(last=False)
        return reason

    def see(self, points: Floats, stamp_ns: int, now_ns: int, at_s: float) -> None:
        """Takes a scan; one from the future, or older than the last, is not used."""
        future = stamp_ns - now_ns > FUTURE_S * NANOSECONDS
        older = stamp_ns < self._scan_ns and at_s - self._scan_at_s < NEW_LIFE_S
        if future or older:
            self.counts['scans_refused'] += 1
        else:
            self._points, self._scan_ns, self._scan_at_s = points, stamp_ns, at_s

    def stop(self, reason: str) -> None:
        """Latches the emergency stop; the first reason stays."""
        self.estop = self.estop or reason

    def reset(self) -> None:
        """Releases the emergency stop; nothing proposed before counts any more."""
        self.estop = ''
        self._lanes.clear()

    def step(self, now_ns: int, at_s: float) -> tuple[Decision, Command | None]:
        """The decision for now and the proposal it is about."""
        command = self.in_force(now_ns, at_s)
        elapsed_s = min(max(at_s - self._stepped_s, 0.0), MAX_STEP_S)
        self._stepped_s = at_s
        scan_age_s = max((now_ns - self._scan_ns) / NANOSECONDS, at_s - self._scan_at_s)
        state = State(self.decision.linear, self.decision.angular, elapsed_s, self._points, scan_age_s,
                      self.estop, self.foreign_publishers)
        self.decision = decide(state, command, self.limits, self.footprint)
        return self.decision, command

    def in_force(self, now_ns: int, at_s: float) -> Command | None:
        """The fresh proposal of the highest lane."""
        for lane in sorted(self._lanes, reverse=True):
            if self._fresh(self._lanes[lane], now_ns, at_s):
                return self._lanes[lane].command
        return None

    def _fresh(self, held: Held, now_ns: int, at_s: float) -> bool:
        age_s = (now_ns - held.command.stamp_ns) / NANOSECONDS
        worth_s = min(held.command.time_to_live_s, self.limits.silence_s)
        return age_s <= worth_s and at_s - held.arrived_s <= worth_s

    def _refusal(self, command: Command, now_ns: int, at_s: float) -> str:
        longest = self.limits.time_to_live_s
        age_s = (now_ns - command.stamp_ns) / NANOSECONDS
        last, holder = self._last.get(command.agent), self._lanes.get(command.lane)
        if not (math.isfinite(command.linear) and math.isfinite(command.angular)):
            return f'speeds must be finite, got {command.linear} and {command.angular}'
        if not command.agent or command.lane not in LANES:
            return f'a proposal needs an agent and a lane of {LANES}, got {command.agent!r} and {command.lane}'
        if not 0 < command.time_to_live_s <= longest:
            return f'time_to_live must be above 0 and at most {longest:g} s, got {command.time_to_live_s:g}'
        if not -FUTURE_S <= age_s <= command.time_to_live_s:
            return f'the stamp must be at most {command.time_to_live_s:g} s old, its age is {age_s:.3f} s'
        if last and command.sequence <= last.command.sequence and at_s - last.arrived_s < NEW_LIFE_S:
            return f'sequence must rise, got {command.sequence} after {last.command.sequence}'
        if holder and holder.command.agent != command.agent and self._fresh(holder, now_ns, at_s):
            return f'{holder.command.agent!r} holds lane {command.lane} now'
        return ''
