"""RosBus: the bus over ROS topics, one topic for each event type and one for each mailbox."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from loom_msgs.msg import Event as EventMessage
from rclpy.node import Node
from rclpy.publisher import Publisher

from loom.core.bus import Handler
from loom.core.delivery import BATCHED, REALTIME, Delivery
from loom.core.event import Event, check
from loom.core.intake import Intake
from loom.core.patterns import check_pattern, check_type, is_wildcard, matches
from loom.ros.clock import RosClock
from loom.ros.convert import event_to_message, message_to_event
from loom.ros.numbering import Numbering, Progress
from loom.ros.qos import publisher_profile, subscription_profile

EVENTS = 'loom/events/'
EVENT_TYPE = 'loom_msgs/msg/Event'
GRAPH_PERIOD_S = 0.25


def topic_of(event_type: str) -> str:
    """The topic on which events of this type travel."""
    return EVENTS + event_type.replace('.', '/')


def mailbox_of(address: str) -> str:
    """The topic of a mailbox."""
    return f'loom/agents/{check_type(address)}/inbox'


class RosSubscription:
    """A handler's registration: one ROS subscription for each topic that matches."""

    def __init__(self, node: Node, close: Callable[[RosSubscription], None]) -> None:
        self._node = node
        self._close = close
        self.readers: dict[str, Any] = {}

    def close(self) -> None:
        """Ends it: the handler is not called again."""
        self._close(self)
        for reader in self.readers.values():
            self._node.destroy_subscription(reader)
        self.readers = {}


class RosBus:
    """Events over DDS; wildcards are resolved from the graph as types appear."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._intake = Intake(RosClock(node.get_clock()), logging.getLogger(f'loom.bus.{node.get_name()}'))
        self._writers: dict[str, Publisher[EventMessage]] = {}
        self._wildcards: dict[RosSubscription, tuple[str, Handler, Delivery]] = {}
        self._open: set[RosSubscription] = set()
        self._numbering = Numbering()
        self._heard: dict[str, dict[int, int]] = {}
        self._lock = threading.RLock()
        self._graph_timer: Any = None

    def publish(self, event: Event, delivery: Delivery = REALTIME) -> None:
        """Hands the event to everyone who subscribed to its type."""
        self._write(topic_of(check(event).type), event, delivery)

    def advertise(self, event_type: str, delivery: Delivery = REALTIME) -> None:
        """Makes the type known before its first event, so that wildcards can subscribe to it."""
        self._writer(topic_of(check_type(event_type)), delivery)

    def subscribe(self, pattern: str, handler: Handler, delivery: Delivery = REALTIME) -> RosSubscription:
        """Calls the handler with each event whose type matches the pattern."""
        check_pattern(pattern)
        subscription = self._register()
        if is_wildcard(pattern):
            with self._lock:
                self._wildcards[subscription] = (pattern, handler, delivery)
                if self._graph_timer is None:
                    self._graph_timer = self._node.create_timer(GRAPH_PERIOD_S, self._follow_graph,
                                                                clock=_steady_clock())
            self._follow_graph()
        else:
            self._read(subscription, topic_of(pattern), handler, delivery)
        return subscription

    def send(self, address: str, event: Event) -> None:
        """Puts the event into one mailbox."""
        self._write(mailbox_of(address), check(event), BATCHED)

    def receive(self, address: str, handler: Handler) -> RosSubscription:
        """Opens the mailbox of `address`."""
        subscription = self._register()
        self._read(subscription, mailbox_of(address), handler, BATCHED)
        return subscription

    def counts(self) -> dict[str, int]:
        """What was delivered and what was dropped, by reason."""
        return dict(self._intake.counts)

    def close(self) -> None:
        """Ends all subscriptions and removes all publishers."""
        for subscription in list(self._open):
            subscription.close()
        with self._lock:
            if self._graph_timer is not None:
                self._node.destroy_timer(self._graph_timer)
                self._graph_timer = None
            for writer in self._writers.values():
                self._node.destroy_publisher(writer)
            self._writers = {}

    def _register(self) -> RosSubscription:
        subscription = RosSubscription(self._node, self._forget)
        self._open.add(subscription)
        return subscription

    def _forget(self, subscription: RosSubscription) -> None:
        with self._lock:
            self._open.discard(subscription)
            self._wildcards.pop(subscription, None)

    def _write(self, topic: str, event: Event, delivery: Delivery) -> None:
        self._writer(topic, delivery).publish(self._numbering.mark(topic, event_to_message(event)))

    def _writer(self, topic: str, delivery: Delivery) -> Publisher[EventMessage]:
        writer = self._writers.get(topic)
        if writer is None:
            with self._lock:
                writer = self._writers.get(topic) or self._node.create_publisher(
                    EventMessage, topic, publisher_profile(delivery))
                self._writers[topic] = writer
        return writer

    def _read(self, subscription: RosSubscription, topic: str, handler: Handler, delivery: Delivery) -> None:
        # A reader that is made anew hears again what its writers still keep: it goes on where the last one was.
        progress = Progress(self._heard.get(topic, {}))

        def arrived(message: EventMessage) -> None:
            if subscription not in self._open:
                return
            lost = progress.step(message)
            self._heard[topic] = progress.heard
            self._intake.skip('repeated' if lost < 0 else 'lost', abs(lost))
            if lost >= 0:
                self._intake.deliver(message_to_event(message), handler)

        subscription.readers[topic] = self._node.create_subscription(
            EventMessage, topic, arrived, subscription_profile(delivery))

    def _follow_graph(self) -> None:
        base = self._node.resolve_topic_name(EVENTS + 'x')[:-1]
        types = [(topic, topic[len(base):].replace('/', '.'))
                 for topic, kinds in self._node.get_topic_names_and_types()
                 if topic.startswith(base) and EVENT_TYPE in kinds]
        with self._lock:
            for subscription, (pattern, handler, delivery) in list(self._wildcards.items()):
                for topic, event_type in types:
                    if topic not in subscription.readers and matches(pattern, event_type):
                        self._read(subscription, topic, handler, delivery)


def _steady_clock() -> Any:
    from rclpy.clock import Clock, ClockType
    return Clock(clock_type=ClockType.STEADY_TIME)
