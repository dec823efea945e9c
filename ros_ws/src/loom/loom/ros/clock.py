"""The node's clock as Loom's Clock, so that use_sim_time reaches everything."""

from __future__ import annotations

from rclpy.clock import Clock as RclpyClock


class RosClock:
    """Time of a node: the simulator's when use_sim_time is set, else the computer's."""

    def __init__(self, clock: RclpyClock) -> None:
        self._clock = clock

    def now_ns(self) -> int:
        """Nanoseconds of the node clock."""
        return self._clock.now().nanoseconds
