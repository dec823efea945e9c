"""What DDS says about the topics of a node: broken promises, and parties that can't talk to each other."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.event_handler import EventHandler, PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from rclpy.qos import QoSCompatibility, QoSProfile, qos_check_compatible, qos_policy_name_from_kind

from loom.ros.diagnostics import WARN, Part
from loom.ros.graph import topics_and_types

# A promise broken once is old news after so long.
RECENT_S = 10.0
MAX_REPORTS = 64
FOREVER_NS = (1 << 63) - 1
ASK_S = 0.5
# Reports on types are as old as this, at most.
TYPES_S = 0.9
CHANGES = ('total_count_change', 'not_alive_count_change', 'alive_count_change')
QOS, TYPE, DEADLINE, LIVELINESS, LOST = (
    'incompatible_qos', 'incompatible_type', 'deadline_missed', 'liveliness_lost', 'message_lost')
TEXTS = {
    QOS: '{topic}: publisher and subscription differ in {policy}, nothing passes between them',
    TYPE: '{topic}: publisher and subscription differ in type, nothing passes between them: {policy}',
    DEADLINE: '{topic}: nothing came within the {policy}',
    LIVELINESS: '{topic}: a publisher gave no sign of {policy} within its lease',
    LOST: '{topic}: DDS lost messages',
}


@dataclass(frozen=True)
class Report:
    """One thing that is wrong with one topic; `policy` is what it is about: a QoS policy, the types, or nothing."""

    kind: str
    topic: str
    policy: str = ''

    @property
    def text(self) -> str:
        """The report for people."""
        return TEXTS[self.kind].format(topic=self.topic, policy=self.policy)


class DdsEvents:
    """Keeps the reports about a node's topics; calls `changed` with each that is new, or had been quiet."""

    def __init__(self, node: Node, changed: Callable[[Report], None]) -> None:
        self._node = node
        self._changed = changed
        self._topics: set[str] = set()
        self._last_s: dict[Report, float] = {}
        self._counts: dict[Report, int] = {}

    def of_publisher(self, topic: str, profile: QoSProfile | int) -> PublisherEventCallbacks:
        """What a new publisher of the topic is given as `event_callbacks`."""
        topic = self._own(topic)
        return PublisherEventCallbacks(incompatible_qos=self._incompatible(topic),
                                       deadline=self._missed(topic) if _deadline(profile) else None)

    def of_subscription(self, topic: str, profile: QoSProfile | int) -> SubscriptionEventCallbacks:
        """What a new subscription of the topic is given as `event_callbacks`."""
        topic = self._own(topic)
        lost = Report(LOST, topic)
        return SubscriptionEventCallbacks(
            incompatible_qos=self._incompatible(topic),
            deadline=self._missed(topic) if _deadline(profile) else None,
            liveliness=self._silent(topic) if _lease(profile) else None,
            message_lost=lambda status: self._tell(lost, status.total_count_change))

    def parts(self) -> list[Part]:
        """The reports for /diagnostics; nothing where all is well."""
        self._compare_types()
        now_s = time.monotonic()
        for report, last_s in list(self._last_s.items()):
            if now_s - last_s > RECENT_S and not self._holds(report):
                del self._last_s[report], self._counts[report]
        if not self._counts:
            return []
        return [Part('dds', WARN, '; '.join(report.text for report in self._counts),
                     {f'{r.kind} {r.topic} {r.policy}'.strip(): str(n) for r, n in self._counts.items()})]

    def _own(self, topic: str) -> str:
        name = self._node.resolve_topic_name(topic)
        self._topics.add(name)
        return name

    def _incompatible(self, topic: str) -> Callable[[Any], None]:
        return lambda status: self._tell(Report(QOS, topic, qos_policy_name_from_kind(status.last_policy_kind)),
                                         status.total_count_change)

    def _missed(self, topic: str) -> Callable[[Any], None]:
        return lambda status: self._tell(Report(DEADLINE, topic, 'DEADLINE'), status.total_count_change)

    def _silent(self, topic: str) -> Callable[[Any], None]:
        def changed(status: Any) -> None:
            # One that gives signs again is a change, too.
            if status.not_alive_count_change > 0:
                self._tell(Report(LIVELINESS, topic, 'LIVELINESS'), status.not_alive_count_change)
        return changed

    def _compare_types(self) -> None:
        # Fast DDS has no event for two types under one name.
        for topic, types in topics_and_types(self._node, TYPES_S):
            if len(types) > 1 and topic in self._topics:
                report = Report(TYPE, topic, ', '.join(sorted(types)))
                if report in self._counts:
                    self._last_s[report] = time.monotonic()
                else:
                    self._tell(report, 1)

    def _holds(self, report: Report) -> bool:
        if report.kind != QOS:
            return False
        subscriptions = self._node.get_subscriptions_info_by_topic(report.topic)
        return any(qos_check_compatible(one.qos_profile, other.qos_profile)[0] == QoSCompatibility.ERROR
                   for one in self._node.get_publishers_info_by_topic(report.topic) for other in subscriptions)

    def _tell(self, report: Report, number: int) -> None:
        known = report in self._counts
        if not number or (not known and len(self._counts) >= MAX_REPORTS):
            return
        self._counts[report] = self._counts.get(report, 0) + number
        self._last_s[report] = time.monotonic()
        if not known:
            self._changed(report)


class WatchedNode(LifecycleNode):
    """A node of whose publishers and subscriptions, whoever makes them, DDS events are kept in `dds`.

    The executor never sees the handlers of the events: the events executor crashes where one goes away that it has just
    been told of (ros2/rclpy#1644). They are asked twice a second instead.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        # Needed first: rclpy makes publishers while it makes the node.
        self.dds = DdsEvents(self, self.dds_changed)
        self._handlers: dict[Any, list[EventHandler]] = {}
        super().__init__(*arguments, **options)
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(ASK_S, self._ask, clock=self._steady)

    def dds_changed(self, report: Report) -> None:
        """Called with each new report, on the executor's thread."""

    def create_publisher(self, message_type: Any, topic: str, qos_profile: Any, **options: Any) -> Any:
        """As in rclpy."""
        options.setdefault('event_callbacks', self.dds.of_publisher(topic, qos_profile))
        return self._take_handlers(super().create_publisher(message_type, topic, qos_profile, **options))

    def create_subscription(self, message_type: Any, topic: str, callback: Any, qos_profile: Any,
                            **options: Any) -> Any:
        """As in rclpy."""
        options.setdefault('event_callbacks', self.dds.of_subscription(topic, qos_profile))
        return self._take_handlers(super().create_subscription(message_type, topic, callback, qos_profile, **options))

    def add_waitable(self, waitable: Any) -> None:
        """As in rclpy, but for what handles events: not even for a moment, another thread may be spinning."""
        if not isinstance(waitable, EventHandler):
            super().add_waitable(waitable)

    def destroy_publisher(self, publisher: Any) -> bool:
        """As in rclpy."""
        self._end_handlers(publisher)
        return super().destroy_publisher(publisher)

    def destroy_subscription(self, subscription: Any) -> bool:
        """As in rclpy."""
        self._end_handlers(subscription)
        return super().destroy_subscription(subscription)

    def _take_handlers(self, entity: Any) -> Any:
        self._handlers[entity], entity.event_handlers = entity.event_handlers, []
        return entity

    def _end_handlers(self, entity: Any) -> None:
        for handler in self._handlers.pop(entity, ()):
            handler.destroy()

    def _ask(self) -> None:
        for handlers in list(self._handlers.values()):
            for handler in handlers:
                handler._ready_to_take_data = True
                status: Any = handler.take_data()
                if any(getattr(status, change, 0) for change in CHANGES):
                    handler.callback(status)


def _deadline(profile: QoSProfile | int) -> bool:
    return isinstance(profile, QoSProfile) and 0 < profile.deadline.nanoseconds < FOREVER_NS


def _lease(profile: QoSProfile | int) -> bool:
    return isinstance(profile, QoSProfile) and 0 < profile.liveliness_lease_duration.nanoseconds < FOREVER_NS
