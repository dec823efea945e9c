"""The node's clock as Loom's Clock, so that use_sim_time reaches everything, and what it showed when."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from rclpy.clock import Clock as RclpyClock
from rclpy.clock import ClockType, JumpThreshold, ROSClock
from rclpy.duration import Duration

from loom.core.clock import NANOSECONDS, wall_ns

MAX_TICKS = 512
MAX_GAP_NS = NANOSECONDS // 2


def steady_clock() -> RclpyClock:
    """A clock that no simulation stops, for timers."""
    return RclpyClock(clock_type=ClockType.STEADY_TIME)


class RosClock:
    """Time of a node: the simulator's when use_sim_time is set, else the computer's."""

    def __init__(self, clock: RclpyClock) -> None:
        self._clock = clock
        self._simulated = False
        self._jumps: Any = None
        if isinstance(clock, ROSClock):
            self._simulated = clock.ros_time_is_active
            changed = JumpThreshold(min_forward=None, min_backward=None, on_clock_change=True)
            self._jumps = clock.create_jump_callback(changed, post_callback=self._changed)

    def now_ns(self) -> int:
        """Nanoseconds of the node clock."""
        # Asking rclpy takes 3 us, and 50 where the code is not in the processor's cache.
        return self._clock.now().nanoseconds if self._simulated else wall_ns()

    def _changed(self, jump: Any) -> None:
        self._simulated = isinstance(self._clock, ROSClock) and self._clock.ros_time_is_active


class WallTimes:
    """Stamps of the node clock as wall clock; in simulation that is when the tick of that time came."""

    def __init__(self, clock: RclpyClock) -> None:
        self._clock = clock
        self._ticks: OrderedDict[int, int] = OrderedDict()
        # Every tick of a simulated clock is a jump of it.
        every_tick = JumpThreshold(min_forward=Duration(nanoseconds=1), min_backward=Duration(nanoseconds=-1),
                                   on_clock_change=False)
        self._jumps = clock.create_jump_callback(every_tick, post_callback=self._ticked)

    def wall_ns(self, stamp_ns: int) -> int:
        """Nanoseconds since 1970 at which the node clock showed `stamp_ns`; 0 where that is not known."""
        if not (isinstance(self._clock, ROSClock) and self._clock.ros_time_is_active):
            return stamp_ns
        if stamp_ns in self._ticks:
            return self._ticks[stamp_ns]
        before_ns = max((tick for tick in list(self._ticks) if tick < stamp_ns), default=0)
        gap_ns = stamp_ns - before_ns
        return self._ticks[before_ns] + gap_ns if before_ns and gap_ns < MAX_GAP_NS else 0

    def _ticked(self, jump: Any) -> None:
        self._ticks[self._clock.now().nanoseconds] = wall_ns()
        if len(self._ticks) > MAX_TICKS:
            self._ticks.popitem(last=False)
