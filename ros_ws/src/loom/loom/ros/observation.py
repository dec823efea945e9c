"""Standard sensor messages as the events that they are: a trace and a chain begin with each, nothing new travels."""

from __future__ import annotations

from typing import Any

from loom.core.clock import wall_ns
from loom.core.event import Event
from loom.core.trace import message_trace
from loom.ros.clock import WallTimes
from loom.ros.convert import stamp_to_ns
from loom.ros.node import LoomNode


class Observations:
    """Makes the events of one node's sensor messages."""

    def __init__(self, node: LoomNode) -> None:
        self._node = node
        self._times = WallTimes(node.get_clock())

    def event(self, topic: str, header: Any, arrived_ns: int) -> Event:
        """The message with this header on `topic`, that came at `arrived_ns` by the wall clock and is worked on now."""
        stamp_ns, name = stamp_to_ns(header.stamp), self._node.resolve_topic_name(topic)
        origin_ns = min(self._times.wall_ns(stamp_ns), arrived_ns)
        seen = Event('sensor.message', name, stamp_ns, traceparent=message_trace(name, stamp_ns, header.frame_id),
                     sent_ns=origin_ns, origin_ns=origin_ns)
        return seen.arrived(arrived_ns, wall_ns())
