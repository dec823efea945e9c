"""RosBus: the bus over ROS topics, one topic for each event type and one for each mailbox."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from rclpy.node import Node

from loom.core.bus import Handler
from loom.core.delivery import BATCHED, LANES, REALTIME, Delivery
from loom.core.event import Event, check
from loom.core.inlet import Inlet
from loom.core.numbering import Numbering, Progress
from loom.core.patterns import check_pattern, check_type, is_wildcard, matches
from loom.core.qos_file import deliveries
from loom.core.reception import Reception
from loom.core.topic_subscription import TopicSubscription, check_topics
from loom.core.topics import EVENTS, mailbox_of, topic_of
from loom.ros.books import RosBooks
from loom.ros.clock import RosClock, steady_clock
from loom.ros.event_topics import Reader, Writer
from loom.ros.graph import topics_and_types

EVENT_TYPE = 'loom_msgs/msg/Event'
GRAPH_PERIOD_S = 0.25
SERVE_S = 0.005


class RosBus:
    """Events over DDS; wildcards are resolved from the graph as types appear."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._deliveries = deliveries()
        self.reception = Reception(RosClock(node.get_clock()), logging.getLogger(f'loom.bus.{node.get_name()}'),
                                   self._poll)
        self._numbering = Numbering()
        self._writers: dict[str, Writer] = {}
        self._by_type: dict[str, Writer] = {}
        self._readers: dict[tuple[str, Delivery], Reader] = {}
        self._wildcards: dict[TopicSubscription, tuple[str, Handler, Delivery]] = {}
        self._open: set[TopicSubscription] = set()
        self._heard: dict[str, dict[int, int]] = {}
        self._lock = threading.RLock()
        self._graph_timer: Any = None
        self._serve_again = False
        self.top_lane = LANES
        self._books = RosBooks(node, self._numbering.writer, self.reception, self._writers, self.soon)

    def publish(self, event: Event, delivery: Delivery = REALTIME) -> None:
        """Hands the event to everyone who subscribed to its type."""
        check(event)
        writer = self._by_type.get(event.type)
        if writer is None:
            writer = self._by_type[event.type] = self._writer(topic_of(event.type), event.type, delivery)
        writer.publish(event)

    def advertise(self, event_type: str, delivery: Delivery = REALTIME) -> None:
        """Makes the type known before its first event, so that wildcards can subscribe to it."""
        self._writer(topic_of(check_type(event_type)), event_type, delivery)

    def room(self, event_type: str, delivery: Delivery = BATCHED) -> int:
        """How many events of a type can be published now without one having to wait for a slow reader."""
        return self._writer(topic_of(check_type(event_type)), event_type, delivery).room()

    def subscribe(self, pattern: str, handler: Handler, delivery: Delivery = REALTIME) -> TopicSubscription:
        """Calls the handler with each event whose type matches the pattern."""
        check_pattern(pattern)
        subscription = self._register()
        if is_wildcard(pattern):
            with self._lock:
                self._wildcards[subscription] = (pattern, handler, delivery)
                if self._graph_timer is None:
                    self._graph_timer = self._node.create_timer(GRAPH_PERIOD_S, self._follow_graph,
                                                                clock=steady_clock())
            self._follow_graph()
        else:
            self._read(subscription, topic_of(pattern), handler, self._deliveries.of(pattern, delivery))
        return subscription

    def send(self, address: str, event: Event) -> None:
        """Puts the event into one mailbox."""
        self._writer(mailbox_of(address), f'mailbox.{address}', BATCHED).publish(check(event))

    def receive(self, address: str, handler: Handler) -> TopicSubscription:
        """Opens the mailbox of `address`."""
        topic = mailbox_of(address)
        subscription = self._register()
        self._read(subscription, topic, handler, self._deliveries.of(f'mailbox.{address}', BATCHED))
        return subscription

    def counts(self) -> dict[str, int]:
        """What was delivered and what was dropped, by reason."""
        return self.reception.counts()

    def resume(self, inlets: list[Inlet]) -> None:
        """Serves paused inlets again, on the executor's thread."""
        def go_on() -> None:
            for inlet in inlets:
                self.reception.resume(inlet)
            self.serve()
        self.soon(go_on)

    def end(self, subscription: TopicSubscription) -> None:
        """Ends a subscription; a reader that serves no other goes with it."""
        with self._lock:
            self._open.discard(subscription)
            self._wildcards.pop(subscription, None)
            inlets, subscription.inlets = subscription.inlets, {}
            for topic, inlet in inlets.items():
                self._heard[topic] = inlet.progress.heard
                self.reception.close(inlet)
                self._books.reader_ended(inlet)
                for key, reader in list(self._readers.items()):
                    if inlet in reader.inlets:
                        reader.inlets = tuple(other for other in reader.inlets if other is not inlet)
                        if not reader.inlets:
                            del self._readers[key]
                            reader.destroy()

    def close(self) -> None:
        """Ends all subscriptions and removes all publishers; the last accounts are told before."""
        self._books.publish_accounts()
        for subscription in list(self._open):
            subscription.close()
        with self._lock:
            self._books.close()
            if self._graph_timer is not None:
                self._node.destroy_timer(self._graph_timer)
                self._graph_timer = None
            for writer in self._writers.values():
                writer.destroy()
            self._writers.clear()
            self._by_type.clear()

    def soon(self, work: Callable[[], None]) -> None:
        """Runs a function on the executor's thread; at once where nothing spins the node yet."""
        if self._node.executor is None:
            work()
        else:
            self._node.executor.create_task(work)

    def serve(self) -> None:
        """Delivers what waits for a few milliseconds, then lets timers and services have their turn."""
        if self.reception.backlog and self.reception.serve(SERVE_S) and not self._serve_again:
            self._serve_again = True
            self.soon(self._go_on)
        if self.reception.consumed:
            self._books.grant()

    def _go_on(self) -> None:
        self._serve_again = False
        self.serve()

    def _poll(self, lane: int) -> None:
        for (_, delivery), reader in list(self._readers.items()):
            if delivery.lane < lane:
                reader.fetch()

    def _register(self) -> TopicSubscription:
        subscription = TopicSubscription(self.resume, self.end)
        self._open.add(subscription)
        return subscription

    def _writer(self, topic: str, event_type: str, wanted: Delivery) -> Writer:
        writer = self._writers.get(topic)
        if writer is None:
            with self._lock:
                writer = self._writers.get(topic)
                if writer is None:
                    check_topics(self._writers, event_type)
                    delivery = self._deliveries.of(event_type, wanted)
                    writer = self._writers[topic] = Writer(self._node, topic, delivery, self._numbering)
                    if delivery.policy == 'credit':
                        self._books.listen_for_credit()
        return writer

    def _read(self, subscription: TopicSubscription, topic: str, handler: Handler, delivery: Delivery) -> None:
        with self._lock:
            # A reader that is made anew hears again what its writers still keep: it goes on where the last one was.
            siblings = [reader.inlets[0] for (name, _), reader in self._readers.items() if name == topic]
            heard = siblings[0].progress.heard if siblings else self._heard.get(topic)
            inlet = self.reception.open(self._node.resolve_topic_name(topic), handler, delivery, Progress(heard))
            subscription.inlets[topic] = inlet
            reader = self._readers.get((topic, delivery))
            if reader is None:
                self._readers[topic, delivery] = Reader(self._node, topic, delivery, (inlet,), self)
                self.top_lane = min(self.top_lane, delivery.lane)
            else:
                reader.inlets = (*reader.inlets, inlet)
            self._books.reader_began(inlet.grants.active)

    def _follow_graph(self) -> None:
        base = self._node.resolve_topic_name(EVENTS + 'x')[:-1]
        types = [(topic, topic[len(base):].replace('/', '.'))
                 for topic, kinds in topics_and_types(self._node, 0.5 * GRAPH_PERIOD_S)
                 if topic.startswith(base) and EVENT_TYPE in kinds]
        with self._lock:
            for subscription, (pattern, handler, delivery) in list(self._wildcards.items()):
                for topic, event_type in types:
                    if topic not in subscription.inlets and matches(pattern, event_type):
                        self._read(subscription, topic, handler, self._deliveries.of(event_type, delivery))
