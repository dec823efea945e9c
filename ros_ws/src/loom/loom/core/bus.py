"""Bus: what carries events between agents; implemented in one process, over ROS, and over bare DDS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from loom.core.delivery import BATCHED, REALTIME, Delivery
from loom.core.event import Event

Handler = Callable[[Event], None]


class Subscription(Protocol):
    """A handler's registration."""

    def pause(self) -> None:
        """What comes waits, and its sources get no more credit, until resume(); from any thread."""
        ...

    def resume(self) -> None:
        """Delivers what waited, and what comes; from any thread."""
        ...

    def close(self) -> None:
        """Ends it: the handler is not called again."""
        ...


class Bus(Protocol):
    """Carries events by type to every subscriber, and by address to one mailbox.

    Handlers are called on the bus's own thread, one at a time, and must not block.
    What breaks a rule of the envelope is refused with EventError at publish, and counted and dropped on arrival;
    so are expired events and those whose hop limit is reached. With a delivery whose policy is credit, events wait for
    slow readers; BusyError refuses one for which there is no more room to wait.
    """

    def publish(self, event: Event, delivery: Delivery = REALTIME) -> None:
        """Hands the event to everyone who subscribed to its type."""
        ...

    def room(self, event_type: str, delivery: Delivery = BATCHED) -> int:
        """How many events of a type can be published now without one having to wait for a slow reader."""
        ...

    def subscribe(self, pattern: str, handler: Handler, delivery: Delivery = REALTIME) -> Subscription:
        """Calls the handler with each event whose type matches the pattern."""
        ...

    def send(self, address: str, event: Event) -> None:
        """Puts the event into one mailbox."""
        ...

    def receive(self, address: str, handler: Handler) -> Subscription:
        """Opens the mailbox of `address`."""
        ...

    def counts(self) -> dict[str, int]:
        """What was delivered and what was dropped, by reason."""
        ...

    def close(self) -> None:
        """Ends all subscriptions."""
        ...
