"""The two ends of an event's topic in a process: encoded events go out, and come in as they are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol

from loom_msgs.msg import Event as EventMessage
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.qos_overriding_options import QoSOverridingOptions

from loom.core.credit import tag_of
from loom.core.delivery import Delivery
from loom.core.errors import BusyError
from loom.core.event_writer import EventWriter
from loom.core.inlet import Inlet
from loom.core.numbering import Numbering
from loom.core.reception import Reception
from loom.ros.qos import publisher_profile, subscription_profile
from loom.supervise.obituary import PREFIX_BYTES

RCLError = rclpy_implementation.RCLError
# What rmw says where the writer's lock was not to be had within DDS's max_blocking_time.
NOT_TAKEN = 'cannot publish data'
# So many are fetched at a time: between two batches more urgent readers are looked at.
BATCH = 16


def hand_over(topic: str, publisher: Any, data: bytes) -> None:
    """Publishes encoded bytes; BusyError where DDS did not take them in time."""
    try:
        publisher.publish(data)
    except RCLError as error:
        if NOT_TAKEN not in str(error):
            raise
        raise BusyError(f'{topic}: DDS took no event within its blocking time; publish it again') from None


class Writer(EventWriter):
    """Publishes one topic; any thread may call it."""

    def __init__(self, node: Node, topic: str, delivery: Delivery, numbering: Numbering) -> None:
        name = node.resolve_topic_name(topic)
        self._node = node
        self._publisher = node.create_publisher(EventMessage, topic, publisher_profile(delivery),
                                                qos_overriding_options=_overriding(node, name))
        super().__init__(name, delivery, numbering, self._hand_over, self._participants)

    def destroy(self) -> None:
        """Removes the publisher."""
        self._node.destroy_publisher(self._publisher)

    def _participants(self) -> Collection[int]:
        return {tag_of(bytes(reader.endpoint_gid)[:PREFIX_BYTES])
                for reader in self._node.get_subscriptions_info_by_topic(self.topic)}

    def _hand_over(self, data: bytes) -> None:
        hand_over(self.topic, self._publisher, data)


class Server(Protocol):
    """Whoever delivers what readers took."""

    reception: Reception
    top_lane: int

    def serve(self) -> None:
        """Delivers what waits."""
        ...


class Reader:
    """Hears one topic for all inlets of one delivery class."""

    def __init__(self, node: Node, topic: str, delivery: Delivery, inlets: tuple[Inlet, ...], server: Server) -> None:
        self.inlets = inlets
        self.lane = delivery.lane
        self._node = node
        self._server = server
        self._open = True
        self._subscription: Any = node.create_subscription(
            EventMessage, topic, self._arrived, subscription_profile(delivery), raw=True,
            qos_overriding_options=_overriding(node, node.resolve_topic_name(topic)))

    def fetch(self) -> None:
        """Takes what DDS has, without delivering it."""
        if self._open:
            handle, reception = self._subscription.handle, self._server.reception
            with handle:
                for _ in range(BATCH):
                    taken = handle.take_message(EventMessage, True)
                    if taken is None:
                        return
                    reception.take(self.inlets, taken[0])

    def destroy(self) -> None:
        """Ends the subscription."""
        self._open = False
        self._node.destroy_subscription(self._subscription)

    def _arrived(self, data: bytes) -> None:
        if not self._open:
            return
        server = self._server
        # The executor gives messages in the order they came: before a less urgent one, urgent topics are looked at.
        if self.lane > server.top_lane or not server.reception.pass_on(self.inlets, data):
            server.reception.take(self.inlets, data)
            self.fetch()
        if server.reception.backlog or server.reception.consumed:
            server.serve()


def _overriding(node: Node, topic: str) -> QoSOverridingOptions | None:
    # Declaring the override parameters takes half a millisecond a topic: only where somebody gave one.
    given = getattr(node, '_parameter_overrides', {})
    wanted = any(name.startswith(f'qos_overrides.{topic}.') for name in given)
    return QoSOverridingOptions.with_default_policies() if wanted else None
