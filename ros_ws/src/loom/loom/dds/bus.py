"""DdsBus: the bus for processes that have no ROS; same topics, same bytes as RosBus."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from loom.core.books import PERIOD_S
from loom.core.bus import Handler
from loom.core.clock import Clock, SystemClock
from loom.core.delivery import BATCHED, REALTIME, Delivery
from loom.core.errors import ConfigError, EventError
from loom.core.event import Event, check
from loom.core.inlet import Inlet
from loom.core.numbering import Numbering, Progress
from loom.core.patterns import check_pattern, check_type, is_wildcard, matches
from loom.core.qos_file import deliveries
from loom.core.reception import Reception
from loom.core.topic_subscription import TopicSubscription, check_topics
from loom.core.topics import EVENTS, mailbox_of, topic_of, type_of
from loom.dds.books import DdsBooks
from loom.dds.cyclone import Participant
from loom.dds.event_topics import Reader, Writer

MAX_DOMAIN = 232
SERVE_S = 0.005
CLOSE_S = 1.0


class DdsSubscription(TopicSubscription):
    """A registration with what it asked for: topics that appear later are joined by it."""

    def __init__(self, bus: DdsBus, pattern: str, handler: Handler, delivery: Delivery) -> None:
        super().__init__(bus.resume, lambda _: bus.end(self))
        self.pattern = pattern
        self.handler = handler
        self.delivery = delivery


class DdsBus:
    """Events over DDS without ROS, in the domain ROS_DOMAIN_ID; handlers run on a thread of its own.

    `namespace` is the one that the robot's nodes have. ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST keeps the bus on this
    host, CYCLONEDDS_URI adds settings of Cyclone DDS. ConfigError where ROS_DOMAIN_ID is no domain.
    """

    def __init__(self, namespace: str = '', clock: Clock | None = None) -> None:
        self._base = '/'.join(['', *filter(None, namespace.split('/')), ''])
        self._deliveries = deliveries()
        self._reception = Reception(clock or SystemClock(), logging.getLogger('loom.bus'), self._fetch)
        self._numbering = Numbering()
        self._writers: dict[str, Writer] = {}
        self._readers: dict[tuple[str, Delivery], Reader] = {}
        self._subscriptions: list[DdsSubscription] = []
        self._heard: dict[str, dict[int, int]] = {}
        self._types: set[str] = set()
        self._tasks: deque[Callable[[], None]] = deque()
        self._lock = threading.RLock()
        self._open = True
        local = os.environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', '').upper() == 'LOCALHOST'
        self._participant = Participant(_domain_id(), local)
        self._books = DdsBooks(self._participant, self._base, f'{Path(sys.argv[0]).stem}_{os.getpid()}',
                            self._numbering.writer, self._reception, self._writers)
        self._thread = threading.Thread(target=self._run, name='loom-dds', daemon=True)
        self._thread.start()
        # Cyclone waits for ever where its objects are deleted while the interpreter ends.
        atexit.register(self.close)

    def publish(self, event: Event, delivery: Delivery = REALTIME) -> None:
        """Hands the event to everyone who subscribed to its type."""
        self._writer(topic_of(check(event).type), event.type, delivery).publish(event)

    def room(self, event_type: str, delivery: Delivery = BATCHED) -> int:
        """How many events of a type can be published now without one having to wait for a slow reader."""
        return self._writer(topic_of(check_type(event_type)), event_type, delivery).room()

    def subscribe(self, pattern: str, handler: Handler, delivery: Delivery = REALTIME) -> DdsSubscription:
        """Calls the handler with each event whose type matches the pattern."""
        subscription = DdsSubscription(self, check_pattern(pattern), handler, delivery)
        with self._lock:
            self._subscriptions.append(subscription)
            if is_wildcard(pattern):
                self._participant.watch_publications()
            for event_type in self._types if is_wildcard(pattern) else (pattern,):
                self._join(subscription, event_type)
        return subscription

    def send(self, address: str, event: Event) -> None:
        """Puts the event into one mailbox."""
        self._writer(mailbox_of(address), f'mailbox.{address}', BATCHED).publish(check(event))

    def receive(self, address: str, handler: Handler) -> DdsSubscription:
        """Opens the mailbox of `address`."""
        subscription = DdsSubscription(self, '', handler, BATCHED)
        with self._lock:
            self._subscriptions.append(subscription)
            self._read(subscription, mailbox_of(address), self._deliveries.of(f'mailbox.{address}', BATCHED))
        return subscription

    def counts(self) -> dict[str, int]:
        """What was delivered and what was dropped, by reason."""
        return self._reception.counts()

    def resume(self, inlets: list[Inlet]) -> None:
        """Serves paused inlets again."""
        for inlet in inlets:
            self._soon(lambda inlet=inlet: self._reception.resume(inlet))  # type: ignore[misc]

    def end(self, subscription: DdsSubscription) -> None:
        """Ends a subscription; a reader that serves no other goes with it."""
        with self._lock:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)
            inlets, subscription.inlets = subscription.inlets, {}
            for topic, inlet in inlets.items():
                self._heard[topic] = inlet.progress.heard
                self._reception.close(inlet)
                self._soon(lambda inlet=inlet: self._books.reader_ended(inlet))  # type: ignore[misc]
                reader = self._readers[topic, inlet.delivery]
                reader.inlets = tuple(other for other in reader.inlets if other is not inlet)
                if not reader.inlets:
                    del self._readers[topic, inlet.delivery]
                    self._soon(reader.close)

    def close(self) -> None:
        """Ends all subscriptions, and leaves the domain."""
        for subscription in list(self._subscriptions):
            subscription.close()
        with self._lock:
            if self._open:
                self._open = False
                self._participant.wake()
        if threading.current_thread() is not self._thread:
            self._thread.join(CLOSE_S)
        atexit.unregister(self.close)

    def _writer(self, topic: str, event_type: str, wanted: Delivery) -> Writer:
        with self._lock:
            if not self._open:
                raise EventError(f'{event_type} came after the end: the bus is closed')
            writer = self._writers.get(topic)
            if writer is None:
                check_topics(self._writers, event_type)
                delivery = self._deliveries.of(event_type, wanted)
                writer = self._writers[topic] = Writer(self._participant, self._base + topic, delivery,
                                                       self._numbering)
            return writer

    def _join(self, subscription: DdsSubscription, event_type: str) -> None:
        topic = topic_of(event_type)
        if topic not in subscription.inlets and matches(subscription.pattern, event_type):
            self._read(subscription, topic, self._deliveries.of(event_type, subscription.delivery))

    def _read(self, subscription: DdsSubscription, topic: str, delivery: Delivery) -> None:
        # A reader that is made anew hears again what its writers still keep: it goes on where the last one was.
        siblings = [reader.inlets[0] for (name, _), reader in self._readers.items() if name == topic]
        heard = siblings[0].progress.heard if siblings else self._heard.get(topic)
        inlet = self._reception.open(self._base + topic, subscription.handler, delivery, Progress(heard))
        subscription.inlets[topic] = inlet
        reader = self._readers.get((topic, delivery))
        if reader is None:
            reader = self._readers[topic, delivery] = Reader(self._participant, self._base + topic, delivery)
        reader.inlets = (*reader.inlets, inlet)

    def _soon(self, work: Callable[[], None]) -> None:
        with self._lock:
            if self._open:
                self._tasks.append(work)
                self._participant.wake()

    def _run(self) -> None:
        more = False
        while self._open:
            if not more:
                self._participant.wait(PERIOD_S)
            self._work_off()
            self._follow_publications()
            self._fetch()
            more = self._reception.serve(SERVE_S)
            self._books.turn()
        self._work_off()
        self._books.publish_accounts()
        with self._lock:
            del self._books
            self._writers.clear()
            self._participant.close()

    def _work_off(self) -> None:
        while self._tasks:
            self._tasks.popleft()()

    def _fetch(self, lane: int | None = None) -> None:
        for (_, delivery), reader in list(self._readers.items()):
            if lane is None or delivery.lane < lane:
                reader.fetch(self._reception)

    def _follow_publications(self) -> None:
        base = self._base + EVENTS
        with self._lock:
            for topic in self._participant.publications():
                event_type = type_of(topic.removeprefix(self._base))
                if topic.startswith(base) and event_type not in self._types and _is_type(event_type):
                    self._types.add(event_type)
                    for subscription in self._subscriptions:
                        if is_wildcard(subscription.pattern):
                            self._join(subscription, event_type)


def _is_type(text: str) -> bool:
    try:
        return bool(check_type(text))
    except EventError:
        return False


def _domain_id() -> int:
    text = os.environ.get('ROS_DOMAIN_ID') or '0'
    if not text.isdecimal() or int(text) > MAX_DOMAIN:
        raise ConfigError(f'ROS_DOMAIN_ID must be a number from 0 to {MAX_DOMAIN}, got {text!r}')
    return int(text)
