"""Publishes large messages: through shared memory where both sides can, as standard messages for everybody else.

Beside each such topic lies `<topic>/shared` with handles (loom_msgs/Payload).
"""

from __future__ import annotations

import os
from typing import Any

from loom_msgs.msg import Payload
from rclpy.node import Node
from rclpy.qos_overriding_options import QoSOverridingOptions

from loom.core.bulk import Bulk
from loom.core.clock import wall_ns
from loom.core.delivery import Delivery
from loom.core.errors import PayloadError
from loom.core.handle import Handle, encode, this_host
from loom.core.ring import MAX_BYTES, MAX_SLOTS, Place, RingWriter
from loom.ros.heads import HeadWriter, bulk_of, type_name
from loom.ros.qos import publisher_profile

# Readers work through a queue while the writer goes on; and it must always find a slot that nobody reads.
SPARE_SLOTS, MIN_SLOTS = 3, 3
RING_BYTES = 4 * MAX_BYTES
GROWTH = 1.25


class SharedPublisher:
    """Publishes handles where somebody reads them, and the standard message where somebody subscribes to that."""

    def __init__(self, node: Node, message_type: type[Any], topic: str, delivery: Delivery) -> None:
        self._node, self._name = node, type_name(message_type)
        self._bulk: Bulk = bulk_of(message_type)
        self._slots = min(delivery.depth + SPARE_SLOTS, MAX_SLOTS)
        self._ring: RingWriter | None = None
        self._sequence, self._shared = 0, False
        self._heads = HeadWriter(message_type)
        profile = publisher_profile(delivery)
        self._standard = node.create_publisher(
            message_type, topic, profile, qos_overriding_options=QoSOverridingOptions.with_default_policies())
        self._handles = node.create_publisher(Payload, f'{self._standard.topic_name}/shared', profile)

    @property
    def topic_name(self) -> str:
        """The full name of the standard topic."""
        return self._standard.topic_name

    def get_subscription_count(self) -> int:
        """How many read it, in whichever way."""
        return self._standard.get_subscription_count() + self._handles.get_subscription_count()

    def publish(self, message: Any) -> None:
        """Sends a message; PayloadError where its bulk is over the limit."""
        data = self._bulk.view(getattr(message, self._bulk.field))
        if data.nbytes > MAX_BYTES:
            raise PayloadError(f'{self._bulk.field!r} of {self._name} on {self.topic_name} must have at most '
                               f'{MAX_BYTES} bytes, got {data.nbytes}; send less at a time')
        # Whether readers are still there is asked when the handle is on its way: asking takes a tenth of its time.
        if self._shared or self._handles.get_subscription_count():
            self._share(data, self._heads.head(message))
            self._shared = bool(self._handles.get_subscription_count())
        if self._standard.get_subscription_count():
            self._standard.publish(message)

    def destroy(self) -> None:
        """Ends both topics and gives the memory back."""
        self._node.destroy_publisher(self._standard)
        self._node.destroy_publisher(self._handles)
        self._drop_ring()

    def _share(self, data: memoryview, head: bytes) -> None:
        self._sequence += 1
        sent_ns, size = wall_ns(), data.nbytes
        ring, place = self._reserve(size)
        if ring is None:
            # Readers that can't follow a handle ask for the standard message.
            self._send(Handle(0, self._sequence, sent_ns, place, 0, 0, size, this_host(), self._name, head))
            return
        try:
            self._send(Handle(ring.id, self._sequence, sent_ns, place, os.getpid(), ring.descriptor, size, this_host(),
                              self._name, head))
        finally:
            # The payload is copied while the readers wake up.
            ring.fill(place, data)

    def _send(self, handle: Handle) -> None:
        self._handles.publish(encode(handle))

    def _reserve(self, size: int) -> tuple[RingWriter | None, Place]:
        """A place in the ring, or in a new one where the payload is larger or every slot is still being read."""
        ring = self._ring
        if ring is not None and size <= ring.slot_bytes and (place := ring.reserve(size)) is not None:
            return ring, place
        if ring is None or size <= ring.slot_bytes:
            slot_bytes = size if ring is None else ring.slot_bytes
        else:
            # Sizes that grow are likely to grow again.
            slot_bytes = min(MAX_BYTES, round(size * GROWTH))
        self._drop_ring()
        try:
            ring = self._ring = RingWriter(max(MIN_SLOTS, min(self._slots, RING_BYTES // max(slot_bytes, 1))),
                                           slot_bytes)
        except OSError as error:
            self._node.get_logger().warning(f'{self.topic_name}: no shared memory ({error}); readers get copies',
                                            throttle_duration_sec=10.0)
            return None, Place(0, 0)
        place = ring.reserve(size)
        return (None, Place(0, 0)) if place is None else (ring, place)

    def _drop_ring(self) -> None:
        ring, self._ring = self._ring, None
        if ring is not None:
            ring.close()
