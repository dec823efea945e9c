"""One process of the storm: publishes on every topic, or handles every topic, and writes down what it did.

The witness is the tally: a publisher's accepted events and a subscriber's calls of handlers, by topic. A subscriber
also leaves its accounts several times a second, taken between two handlers.
"""

from __future__ import annotations

import argparse
import json
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bus.crew import END, RUN, WORDS
from bus.loom_process import spinning
from bus.tally import Tally
from rclpy.node import Node

from loom.core.delivery import BACKGROUND, BATCHED, REALTIME, Delivery
from loom.core.errors import BusyError
from loom.core.event import Event
from loom.core.numbering import Progress
from loom.core.topic_subscription import TopicSubscription
from loom.ros.bus import RosBus
from loom.ros.process import die_with_parent

TOPICS = {'storm.realtime': REALTIME, 'storm.batched': BATCHED, 'storm.background': BACKGROUND,
          'storm.latest': REALTIME, 'storm.sampled': REALTIME, 'storm.coalesced': REALTIME}
# Changes by the file that the storm gives to all.
OVERRIDES = {'storm.latest': {'policy': 'keep_latest'}, 'storm.sampled': {'policy': 'sample', 'depth': 20},
             'storm.coalesced': {'policy': 'coalesce', 'lane': 1}}
DUMP_S = 0.1
MAX_BURST = 40
# One of so many realtime events is worth nothing a few milliseconds after it was made.
PERISHABLE, LIFE_NS = 5, 2_000_000


class Watched(Progress):
    """Also remembers with which event it heard each writer first."""

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[int, int] = {}

    def step(self, writer: int, sequence: int) -> int:
        """How many were lost before this event."""
        self.first.setdefault(writer, sequence)
        return super().step(writer, sequence)


class Subscriber:
    """Handles all topics; `work_ms` is what each event takes it."""

    def __init__(self, node: Node, tally: Tally, report: Path, work_ms: float) -> None:
        self._bus = RosBus(node)
        self._tally = tally
        self._report = report
        self._work_s = work_ms / 1000
        self._last: dict[tuple[str, str], int] = {}
        self._disorder = 0
        self._watched = [Watched() for _ in TOPICS]
        self._subscriptions = [self._subscribe(index, *topic) for index, topic in enumerate(TOPICS.items())]
        self._inlets = [next(iter(subscription.inlets.values())) for subscription in self._subscriptions]
        self.dump()
        node.create_timer(DUMP_S, self.dump)

    def close(self) -> None:
        """Leaves cleanly, with a last report."""
        self._bus.close()
        self.dump()

    def dump(self) -> None:
        """The accounts as they are between two handlers; in one piece, whatever happens to the process."""
        accounts = [{
            'offered': inlet.account.offered, 'delivered': inlet.account.delivered, 'expired': inlet.account.expired,
            'queued': len(inlet.queue), 'dropped': dict(inlet.account.dropped), 'handled': self._tally[index],
            'first': watched.first, 'last': watched.heard,
        } for index, (inlet, watched) in enumerate(zip(self._inlets, self._watched))]
        draft = self._report.with_suffix('.draft')
        draft.write_text(json.dumps({'accounts': accounts, 'disorder': self._disorder}))
        draft.rename(self._report)

    def _subscribe(self, index: int, event_type: str, delivery: Delivery) -> TopicSubscription:
        subscription = self._bus.subscribe(event_type, self._handler(index), delivery)
        for inlet in subscription.inlets.values():
            inlet.progress = self._watched[index]
        return subscription

    def _handler(self, index: int) -> Callable[[Event], None]:
        def handle(event: Event) -> None:
            self._tally.add(index)
            key = (event.source, event.type)
            self._disorder += event.data <= self._last.get(key, -1)
            self._last[key] = event.data
            if self._work_s:
                time.sleep(self._work_s)
        return handle


def subscribe(name: str, work_ms: float, leave_after_s: float) -> None:
    """Until the storm ends, or this one leaves."""
    tally, control = Tally(Path(f'{name}.tally'), len(TOPICS)), Tally(Path('control'), WORDS)
    with spinning(name) as node:
        made: list[Subscriber] = []
        on_executor(node, lambda: made.append(Subscriber(node, tally, Path(f'{name}.json'), work_ms)))
        leave_at = time.monotonic() + leave_after_s
        while control[0] != END and time.monotonic() < leave_at:
            time.sleep(0.02)
        on_executor(node, made[0].close)


def on_executor(node: Node, work: Callable[[], Any]) -> None:
    """Runs it where the bus delivers, and waits until it ends."""
    assert node.executor is not None
    done = threading.Event()
    task = node.executor.create_task(work)
    task.add_done_callback(lambda _: done.set())
    done.wait()
    task.result()


def publish(name: str, rate_hz: float, leave_after_s: float) -> None:
    """Bursts of events on random topics, each with its number; its books stay open until the storm ends."""
    tally, control = Tally(Path(f'{name}.tally'), len(TOPICS) + 2), Tally(Path('control'), WORDS)
    with spinning(name) as node:
        bus, dice, topics = RosBus(node), random.Random(name), list(TOPICS.items())
        tally[len(TOPICS)] = bus._numbering.writer
        leave_at = time.monotonic() + leave_after_s
        while control[0] == RUN and time.monotonic() < leave_at:
            size = dice.randint(1, MAX_BURST)
            for _ in range(size):
                index = dice.randrange(len(topics))
                event_type, delivery = topics[index]
                now_ns = time.time_ns()
                perishable = delivery is REALTIME and dice.randrange(PERISHABLE) == 0
                event = Event.create(event_type, tally[index], source=name, stamp_ns=now_ns,
                                     expires_ns=now_ns + LIFE_NS if perishable else 0)
                try:
                    bus.publish(event, delivery)
                    tally.add(index)
                except BusyError:
                    tally.add(len(TOPICS) + 1)
            time.sleep(dice.uniform(0.0, 2 * size / rate_hz))
        while control[0] != END and time.monotonic() < leave_at:
            time.sleep(0.02)
        bus.close()


def main() -> None:
    """Runs the role that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument('role', choices=('publish', 'subscribe'))
    parser.add_argument('name')
    parser.add_argument('amount', type=float, help='events a second, or milliseconds for each')
    parser.add_argument('leave_after_s', type=float)
    options = parser.parse_args()
    die_with_parent()
    role = publish if options.role == 'publish' else subscribe
    role(options.name, options.amount, options.leave_after_s)


if __name__ == '__main__':
    main()
