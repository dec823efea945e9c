"""The books of a RosBus on their topics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from loom_msgs.msg import Accounts as AccountsMessage
from loom_msgs.msg import Credit as CreditMessage
from rclpy.node import Node

from loom.core.book_messages import (
    Credit,
    ReaderAccount,
    WriterAccount,
    decode_credit,
    decode_writers,
    encode_accounts,
    encode_credit,
)
from loom.core.books import ACCOUNTS, CREDIT, CREDITS, PERIOD_S, Books
from loom.core.delivery import STATE, Delivery
from loom.core.errors import BusyError, EventError
from loom.core.reception import Reception
from loom.ros.clock import steady_clock
from loom.ros.event_topics import Writer, hand_over
from loom.ros.participant import prefix_of
from loom.ros.qos import publisher_profile, subscription_profile


class RosBooks(Books):
    """Publishes and hears accounts and credits; on the executor's thread, where `soon` brings what comes elsewhere."""

    def __init__(self, node: Node, number: int, reception: Reception, writers: Mapping[str, Writer],
                 soon: Callable[[Callable[[], None]], None]) -> None:
        super().__init__(number, prefix_of(node.context), reception, writers, self._send_credit, self._send_accounts)
        self._node = node
        self._soon = soon
        self._publishers: dict[str, Any] = {}
        self._subscriptions: dict[str, Any] = {}
        self._timer: Any = node.create_timer(PERIOD_S, self.tick, clock=steady_clock())

    def listen_for_credit(self) -> None:
        """A writer waits for credit from now on."""
        self._soon(lambda: self._hear(CreditMessage, CREDIT, CREDITS,
                                      lambda data: self.on_credit(decode_credit(data))))

    def reader_began(self, grants: bool) -> None:
        """A reader counts from now on, and `grants` credit or not; writers tell it how much they published."""
        def begin() -> None:
            self._hear(AccountsMessage, ACCOUNTS, STATE, lambda data: self.on_accounts(decode_writers(data)))
            if grants and self._timer is not None:
                # Made now, or the first credit would be lost while it is matched.
                self._publisher(CreditMessage, CREDIT, CREDITS)
        self._soon(begin)

    def close(self) -> None:
        """Ends everything."""
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
            self._timer = None
        for subscription in self._subscriptions.values():
            self._node.destroy_subscription(subscription)
        for publisher in self._publishers.values():
            self._node.destroy_publisher(publisher)
        self._subscriptions, self._publishers = {}, {}

    def _hear(self, kind: Any, topic: str, delivery: Delivery, take: Callable[[bytes], None]) -> None:
        def arrived(data: bytes) -> None:
            # What is damaged is left: it is told again within a second.
            with suppress(EventError):
                take(data)
        if topic not in self._subscriptions and self._timer is not None:
            self._subscriptions[topic] = self._node.create_subscription(
                kind, topic, arrived, subscription_profile(delivery), raw=True)

    def _publisher(self, kind: Any, topic: str, delivery: Delivery) -> Any:
        if topic not in self._publishers:
            self._publishers[topic] = self._node.create_publisher(kind, topic, publisher_profile(delivery))
        return self._publishers[topic]

    def _send_credit(self, credit: Credit) -> None:
        if self._timer is not None:
            # What is not told now is told with the next renewal.
            with suppress(BusyError):
                hand_over(CREDIT, self._publisher(CreditMessage, CREDIT, CREDITS), encode_credit(credit))

    def _send_accounts(self, writers: list[WriterAccount], readers: list[ReaderAccount]) -> None:
        if self._timer is not None:
            stamp_ns = self._node.get_clock().now().nanoseconds
            try:
                hand_over(ACCOUNTS, self._publisher(AccountsMessage, ACCOUNTS, STATE), encode_accounts(
                    stamp_ns, self._node.get_fully_qualified_name(), writers, readers))
            except BusyError:
                # The same is told again in a second, changed or not.
                self._last = None
