"""The outgoing end of an event's topic: numbers, encodes and sends, or holds until readers grant it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

from loom.core.clock import wall_ns
from loom.core.credit import Outlet
from loom.core.delivery import Delivery
from loom.core.event import Event
from loom.core.numbering import Numbering
from loom.core.wire import encode


class EventWriter:
    """Publishes one topic through `send`, which takes encoded events or raises BusyError; any thread may call it.

    `present` gives the tags (`loom.core.credit`) of the participants that have a reader of the topic now.
    """

    def __init__(self, topic: str, delivery: Delivery, numbering: Numbering, send: Callable[[bytes], object],
                 present: Callable[[], Collection[int]]) -> None:
        self.topic = topic
        self.delivery = delivery
        self.published = 0
        self.outlet = Outlet(topic, delivery, self._send) if delivery.policy == 'credit' else None
        self._numbering = numbering
        self._transmit = send
        self._present = present
        self._lock = threading.RLock()

    def publish(self, event: Event) -> None:
        """Sends a checked event now, or when its readers grant it."""
        with self._lock:
            if self.outlet is None:
                self._send(event)
            else:
                self.outlet.offer(event)

    def room(self) -> int:
        """How many events can be published now without waiting."""
        with self._lock:
            return self.delivery.depth if self.outlet is None else self.outlet.room()

    def granted(self, reader: int, limit: int, closed: bool) -> None:
        """A reader's credit."""
        with self._lock:
            if self.outlet is not None:
                self.outlet.granted(reader, limit, closed)

    def flush(self) -> None:
        """Sends what was held for readers that are gone."""
        with self._lock:
            if self.outlet is not None:
                if self.outlet.room() == 0 and self.outlet.late():
                    self.outlet.forget_absent(self._present())
                self.outlet.flush()

    def _send(self, event: Event) -> int:
        sequence = self._numbering.next(self.topic)
        self._transmit(encode(event, self._numbering.writer, sequence, wall_ns()))
        self._numbering.sent(self.topic)
        self.published = sequence + 1
        return sequence
