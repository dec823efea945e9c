"""LocalBus: the bus inside one process, for tests, replay and examples."""

from __future__ import annotations

import logging
import threading
from collections import deque

from loom.core.bus import Handler
from loom.core.clock import Clock, SystemClock
from loom.core.delivery import REALTIME, Delivery
from loom.core.errors import EventError
from loom.core.event import Event, check
from loom.core.intake import Intake
from loom.core.patterns import check_pattern, check_type, matches

MAX_QUEUED = 10_000


class LocalSubscription:
    """A handler's registration on a LocalBus."""

    def __init__(self, pattern: str, handler: Handler) -> None:
        self.pattern = pattern
        self.handler = handler
        self.open = True

    def close(self) -> None:
        """Ends it: the handler is not called again."""
        self.open = False


class LocalBus:
    """Delivers in publish order; an event published from inside a handler waits for its turn."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._intake = Intake(self._clock, logging.getLogger('loom.bus'))
        self._subscriptions: list[LocalSubscription] = []
        self._mailboxes: dict[str, list[LocalSubscription]] = {}
        self._queue: deque[tuple[Event, LocalSubscription]] = deque()
        self._lock = threading.RLock()
        self._delivering = False

    def publish(self, event: Event, delivery: Delivery = REALTIME) -> None:
        """Hands the event to everyone who subscribed to its type."""
        check(event)
        with self._lock:
            self._offer(event, [s for s in self._subscriptions if matches(s.pattern, event.type)])

    def subscribe(self, pattern: str, handler: Handler, delivery: Delivery = REALTIME) -> LocalSubscription:
        """Calls the handler with each event whose type matches the pattern."""
        subscription = LocalSubscription(check_pattern(pattern), handler)
        with self._lock:
            self._subscriptions = [s for s in self._subscriptions if s.open] + [subscription]
        return subscription

    def send(self, address: str, event: Event) -> None:
        """Puts the event into one mailbox."""
        check(event)
        with self._lock:
            self._offer(event, self._mailboxes.get(check_type(address), []))

    def receive(self, address: str, handler: Handler) -> LocalSubscription:
        """Opens the mailbox of `address`."""
        subscription = LocalSubscription(check_type(address), handler)
        with self._lock:
            self._mailboxes[address] = [s for s in self._mailboxes.get(address, []) if s.open] + [subscription]
        return subscription

    def counts(self) -> dict[str, int]:
        """What was delivered and what was dropped, by reason."""
        return dict(self._intake.counts)

    def close(self) -> None:
        """Ends all subscriptions."""
        with self._lock:
            for subscription in [*self._subscriptions, *(s for box in self._mailboxes.values() for s in box)]:
                subscription.close()

    def _offer(self, event: Event, subscriptions: list[LocalSubscription]) -> None:
        if len(self._queue) + len(subscriptions) > MAX_QUEUED:
            raise EventError(f'a LocalBus queues at most {MAX_QUEUED} deliveries; a handler publishes in a storm')
        self._queue.extend((event, s) for s in subscriptions)
        if self._delivering:
            return
        self._delivering = True
        try:
            while self._queue:
                queued, subscription = self._queue.popleft()
                if subscription.open:
                    self._intake.deliver(queued, subscription.handler)
        finally:
            self._delivering = False
