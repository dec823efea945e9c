"""Reads large messages: from shared memory or, where that is not possible, from the standard topic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from loom_msgs.msg import Payload
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos_overriding_options import QoSOverridingOptions

from loom.core.delivery import Delivery
from loom.core.errors import PayloadError
from loom.core.handle import decode
from loom.core.payloads import Payloads
from loom.ros.heads import HeadReader, bulk_of, set_bulk, type_name
from loom.ros.qos import subscription_profile

CHECK_S = 0.5


class SharedSubscription:
    """Gives whole messages to `callback`; the bulk field of each is a read-only memoryview.

    The standard topic is subscribed to until the first handle could be followed, and again while one can't be or a
    publisher gives none.
    """

    def __init__(self, node: Node, message_type: type[Any], topic: str, callback: Callable[[Any], None],
                 delivery: Delivery) -> None:
        self._node, self._type, self._callback, self._delivery = node, message_type, callback, delivery
        self._bulk = bulk_of(message_type)
        self._heads = HeadReader(message_type)
        self._payloads = Payloads(type_name(message_type))
        self._counts: Counter[str] = Counter()
        self._topic = node.resolve_topic_name(topic)
        self._without_handles = False
        self._last_stamp: Any = None
        self._standard: Any = None
        self._handles = node.create_subscription(Payload, f'{self._topic}/shared', self._on_handle,
                                                 subscription_profile(delivery), raw=True)
        self._open_standard()
        self._timer = node.create_timer(CHECK_S, self._check, clock=Clock(clock_type=ClockType.STEADY_TIME))

    @property
    def topic_name(self) -> str:
        """The full name of the standard topic."""
        return self._topic

    @property
    def counts(self) -> Counter[str]:
        """How many came `shared` and `standard`, and what was `late`, `lost`, `refused` and `malformed`."""
        return self._counts + self._payloads.counts

    @property
    def refusal(self) -> str:
        """Why shared memory was refused last; empty where it never was."""
        return self._payloads.refusal

    def destroy(self) -> None:
        """Ends both topics and lets go of the memory; messages that were delivered stay valid."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_subscription(self._handles)
        self._close_standard()
        self._payloads.let_go(0.0)

    def _on_handle(self, data: bytes) -> None:
        if self._without_handles:
            return
        try:
            handle = decode(data)
            payload = self._payloads.read(handle)
            message = None if payload is None else self._heads.message(handle.head)
        except (PayloadError, ValueError, RuntimeError):
            self._counts['malformed'] += 1
            return
        if self._payloads.failing():
            self._open_standard()
        elif message is not None and not self._is_double(message):
            set_bulk(message, payload)
            self._callback(message)

    def _on_standard(self, data: bytes) -> None:
        if self._standard is None:
            return  # it was on its way when the topic was ended
        try:
            head, payload = self._bulk.split(data)
            message = self._heads.message(head)
        except (PayloadError, ValueError, RuntimeError):
            self._counts['malformed'] += 1
            return
        self._counts['standard'] += 1
        self._last_stamp = _stamp(message)
        set_bulk(message, payload)
        self._callback(message)

    def _is_double(self, message: Any) -> bool:
        """Ends the standard topic at the first handle that could be followed; its message may have come there too."""
        if self._standard is None:
            return False
        self._close_standard()
        return self._last_stamp is not None and _stamp(message) == self._last_stamp

    def _check(self) -> None:
        count = self._node.count_publishers
        self._without_handles = count(self._topic) > count(self._handles.topic_name)
        if self._without_handles or self._payloads.failing():
            self._open_standard()
        self._payloads.let_go()

    def _open_standard(self) -> None:
        if self._standard is None:
            self._standard = self._node.create_subscription(
                self._type, self._topic, self._on_standard, subscription_profile(self._delivery), raw=True,
                qos_overriding_options=QoSOverridingOptions.with_default_policies())

    def _close_standard(self) -> None:
        standard, self._standard = self._standard, None
        if standard is not None:
            self._node.destroy_subscription(standard)


def _stamp(message: Any) -> Any:
    header = getattr(message, 'header', None)
    return None if header is None else (header.stamp.sec, header.stamp.nanosec)
