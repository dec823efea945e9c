"""LocalBus: the bus inside one process, for tests, replay and examples."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from loom.core.bus import Handler
from loom.core.clock import Clock, SystemClock, wall_ns
from loom.core.delivery import BATCHED, REALTIME, Deliveries, Delivery
from loom.core.errors import BusyError
from loom.core.event import Event, check
from loom.core.inlet import Inlet
from loom.core.patterns import check_pattern, check_type, matches
from loom.core.reception import Reception


class LocalSubscription:
    """A handler's registration on a LocalBus."""

    def __init__(self, pattern: str, inlet: Inlet, bus: LocalBus) -> None:
        self.pattern = pattern
        self.inlet = inlet
        self._bus = bus

    def pause(self) -> None:
        """What comes waits until resume()."""
        self.inlet.paused = True

    def resume(self) -> None:
        """Delivers what waited, and what comes."""
        self._bus.run(lambda reception: reception.resume(self.inlet))

    def close(self) -> None:
        """Ends it: the handler is not called again."""
        self._bus.run(lambda reception: reception.close(self.inlet))


class LocalBus:
    """Delivers in publish order within a lane; an event published from inside a handler waits for its turn."""

    def __init__(self, clock: Clock | None = None, deliveries: Deliveries | None = None) -> None:
        self._reception = Reception(clock or SystemClock(), logging.getLogger('loom.bus'))
        self._deliveries = deliveries or Deliveries()
        self._subscriptions: list[LocalSubscription] = []
        self._mailboxes: dict[str, list[LocalSubscription]] = {}
        self._lock = threading.RLock()

    def publish(self, event: Event, delivery: Delivery = REALTIME) -> None:
        """Hands the event to everyone who subscribed to its type."""
        check(event)
        with self._lock:
            self._offer(event, self._matching(event.type), self._deliveries.of(event.type, delivery))

    def room(self, event_type: str, delivery: Delivery = BATCHED) -> int:
        """How many events of a type can be published now without one having to wait for a slow reader."""
        delivery = self._deliveries.of(check_type(event_type), delivery)
        with self._lock:
            return max(delivery.depth - self._longest(self._matching(event_type)), 0)

    def subscribe(self, pattern: str, handler: Handler, delivery: Delivery = REALTIME) -> LocalSubscription:
        """Calls the handler with each event whose type matches the pattern."""
        with self._lock:
            inlet = self._reception.open(check_pattern(pattern), handler, self._deliveries.of(pattern, delivery))
            subscription = LocalSubscription(pattern, inlet, self)
            self._subscriptions = [s for s in self._subscriptions if s.inlet.open] + [subscription]
        return subscription

    def send(self, address: str, event: Event) -> None:
        """Puts the event into one mailbox."""
        check(event)
        with self._lock:
            self._offer(event, self._mailboxes.get(check_type(address), []), BATCHED)

    def receive(self, address: str, handler: Handler) -> LocalSubscription:
        """Opens the mailbox of `address`."""
        with self._lock:
            inlet = self._reception.open(check_type(address), handler, BATCHED)
            subscription = LocalSubscription(address, inlet, self)
            self._mailboxes[address] = [s for s in self._mailboxes.get(address, []) if s.inlet.open] + [subscription]
        return subscription

    def accounts(self) -> list[tuple[str, int]]:
        """(topic, what does not balance in its account) of each open subscription."""
        return [(account.topic, account.unexplained(queued)) for account, queued in self._reception.accounts()]

    def counts(self) -> dict[str, int]:
        """What was delivered and what was dropped, by reason."""
        return self._reception.counts()

    def close(self) -> None:
        """Ends all subscriptions."""
        with self._lock:
            for subscription in [*self._subscriptions, *(s for box in self._mailboxes.values() for s in box)]:
                subscription.close()

    def run(self, step: Callable[[Reception], None]) -> None:
        """Does something to the reception, then delivers what can be."""
        with self._lock:
            step(self._reception)
            self._reception.serve()

    def _matching(self, event_type: str) -> list[LocalSubscription]:
        return [s for s in self._subscriptions if matches(s.pattern, event_type)]

    def _longest(self, subscriptions: list[LocalSubscription]) -> int:
        return max((len(s.inlet.queue) for s in subscriptions if s.inlet.open), default=0)

    def _offer(self, event: Event, subscriptions: list[LocalSubscription], delivery: Delivery) -> None:
        if delivery.policy == 'credit' and self._longest(subscriptions) >= delivery.depth:
            raise BusyError(f'{event.type}: {delivery.depth} events wait for a slow reader; ask room() before '
                            f'publishing, and publish less often')
        self._reception.take([s.inlet for s in subscriptions], event.sending(wall_ns()))
        self._reception.serve()
