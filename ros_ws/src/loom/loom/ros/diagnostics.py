"""A node's state on /diagnostics, once a second."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

OK, WARN, ERROR, STALE = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR, DiagnosticStatus.STALE
PERIOD_S = 1.0
# An absolute name: every ROS tool reads this one; the node's namespace is in the status name.
TOPIC = '/diagnostics'


@dataclass(frozen=True)
class Part:
    """One aspect of a node: its level, a message for people, and figures."""

    name: str
    level: bytes
    message: str
    values: dict[str, str] = field(default_factory=dict)


class Diagnostics:
    """Publishes the parts of a node."""

    def __init__(self, node: Node, parts: Callable[[], Iterable[Part]]) -> None:
        self._node = node
        self._parts = parts
        self._publisher = node.create_publisher(DiagnosticArray, TOPIC, 10)
        self._timer = node.create_timer(PERIOD_S, self.publish, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def publish(self) -> None:
        """Publishes all parts now."""
        name = self._node.get_fully_qualified_name().lstrip('/')
        array = DiagnosticArray()
        array.header.stamp = self._node.get_clock().now().to_msg()
        for part in self._parts():
            values = [KeyValue(key=k, value=v) for k, v in part.values.items()]
            array.status.append(DiagnosticStatus(
                level=part.level, name=f'{name}: {part.name}', message=part.message, hardware_id='loom', values=values))
        self._publisher.publish(array)
