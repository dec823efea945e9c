"""Under load: every account balances, credit loses nothing, one that stands still holds nobody up."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

rclpy = pytest.importorskip('rclpy')

from loom_msgs.msg import Event as EventMessage  # noqa: E402

from loom.core import reception  # noqa: E402
from loom.core.delivery import BACKGROUND, BATCHED, REALTIME, Delivery  # noqa: E402
from loom.core.errors import BusyError  # noqa: E402
from loom.core.event import Event  # noqa: E402
from loom.core.pacing import Throttle  # noqa: E402
from loom.core.topic_subscription import TopicSubscription  # noqa: E402
from loom.core.wire import encode  # noqa: E402
from loom.ros.bus import RosBus  # noqa: E402
from loom.ros.event_topics import RCLError  # noqa: E402
from loom.ros.qos import publisher_profile  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'bench'))

from bus.storm import Part, blow  # noqa: E402

Until = Callable[..., None]
LISTENER = '''
import sys, time
import rclpy
from loom.ros.bus import RosBus
from loom.ros.process import new_executor
rclpy.init()
node, executor = rclpy.create_node('stopped', namespace=sys.argv[1]), new_executor()
executor.add_node(node)
RosBus(node).subscribe('test.beat', lambda event: print(event.data, flush=True))
while True:
    executor.spin_once(timeout_sec=0.1)
'''


class Pair:
    """Two buses in one process, and what the second heard."""

    def __init__(self, ros: Any, until: Until) -> None:
        self.namespace = ros.namespace
        self.until = until
        self.outside = ros.add(rclpy.create_node, 'sender')
        self.sender = RosBus(self.outside)
        self.receiver = RosBus(ros.add(rclpy.create_node, 'receiver'))
        self.heard: list[Any] = []

    def subscribe(self, event_type: str, delivery: Delivery) -> TopicSubscription:
        return self.receiver.subscribe(event_type, lambda event: self.heard.append(event.data), delivery)

    def publish(self, event_type: str, data: Any, delivery: Delivery) -> None:
        self.sender.publish(Event.create(event_type, data, source='s', stamp_ns=1), delivery)

    def close(self) -> None:
        self.sender.close()
        self.receiver.close()


@pytest.fixture
def pair(ros: Any, until: Until) -> Any:
    made = Pair(ros, until)
    yield made
    made.close()


def test_every_account_balances_to_the_last_event() -> None:
    verdict = blow({}, (
        Part('quick', 'subscribe', 0.0), Part('slow', 'subscribe', 3.0), Part('late', 'subscribe', 0.0, 0.5),
        Part('killed', 'subscribe', 0.0, 0.0, 0.4, 'killed'), Part('leaving', 'subscribe', 0.0, 0.0, 0.5, 'leaves'),
        Part('source', 'publish', 300.0), Part('killed_source', 'publish', 300.0, 0.0, 0.6, 'killed')), 2.5)
    assert verdict.unexplained == 0, verdict.faults
    assert verdict.credit_lost == 0 and verdict.published > 100
    assert {'delivered', 'expired', 'superseded', 'coalesced'} <= verdict.reasons.keys()


def test_a_slow_consumer_loses_nothing_and_what_is_held_is_bounded_and_drains(pair: Pair) -> None:
    subscription = pair.subscribe('test.credit', BATCHED)
    pair.publish('test.credit', 0, BATCHED)
    pair.until(lambda: pair.heard == [0])
    outlet = pair.sender._writers['loom/events/test/credit'].outlet
    assert outlet is not None
    pair.until(lambda: outlet.room() < BATCHED.depth, 'no credit came')
    subscription.pause()
    throttle, number = Throttle(), 1
    while throttle.admits(pair.sender.room('test.credit')) or pair.sender.room('test.credit'):
        pair.publish('test.credit', number, BATCHED)
        number += 1
    assert not outlet.held and number <= BATCHED.depth
    with pytest.raises(BusyError):
        while True:
            pair.publish('test.credit', number, BATCHED)
            number += 1
    assert len(outlet.held) == BATCHED.depth and outlet.refused == 1
    subscription.resume()
    pair.until(lambda: len(pair.heard) == number, 'the rest did not come')
    assert pair.heard == list(range(number)) and not outlet.held
    pair.until(lambda: throttle.level(pair.sender.room('test.credit')) == 1.0, 'the source is held back')


def test_one_that_stands_still_holds_nobody_up(pair: Pair, program: Any) -> None:
    listener = program(command=[sys.executable, '-c', LISTENER, pair.namespace])
    pair.subscribe('test.beat', REALTIME)
    pair.publish('test.beat', 0, REALTIME)
    pair.until(lambda: listener.text.startswith('0'), 'the other does not hear')
    os.kill(listener.process.pid, signal.SIGSTOP)
    for number in range(1, 1000):
        pair.publish('test.beat', number, REALTIME)
        if number % 20 == 0:
            pair.until(lambda wanted=number: len(pair.heard) > wanted, 'held up')
    pair.until(lambda: pair.heard == list(range(1000)), f'{len(pair.heard)} of 1000 came')


class Refusing:
    """A publisher whose DDS takes nothing."""

    def __init__(self, why: str) -> None:
        self.why = why

    def publish(self, data: bytes) -> None:
        raise RCLError(f'Failed to publish: {self.why}')


def test_what_dds_does_not_take_in_time_is_not_lost(pair: Pair) -> None:
    pair.subscribe('test.kept', BATCHED)
    pair.publish('test.kept', 0, BATCHED)
    pair.until(lambda: pair.heard == [0])
    writer = pair.sender._writers['loom/events/test/kept']
    publisher, writer._publisher = writer._publisher, Refusing('cannot publish data')
    for number in range(1, 4):
        pair.publish('test.kept', number, BATCHED)
    writer._publisher = publisher
    pair.until(lambda: pair.heard == [0, 1, 2, 3])
    assert pair.receiver.counts().get('lost', 0) == 0


def test_who_publishes_learns_what_dds_did_not_take(pair: Pair) -> None:
    pair.publish('test.beat', 0, REALTIME)
    writer = pair.sender._writers['loom/events/test/beat']
    writer._publisher = Refusing('cannot publish data')
    with pytest.raises(BusyError, match='took no event within its blocking time'):
        pair.publish('test.beat', 1, REALTIME)
    writer._publisher = Refusing('the context is invalid')
    with pytest.raises(RCLError, match='context'):
        pair.publish('test.beat', 1, REALTIME)


def test_a_reader_learns_what_it_missed_at_the_end(pair: Pair) -> None:
    subscription = pair.subscribe('test.tail', REALTIME)
    raw = pair.outside.create_publisher(EventMessage, 'loom/events/test/tail', publisher_profile(REALTIME))
    pair.publish('test.tail', 'first', REALTIME)
    pair.until(lambda: pair.heard == ['first'])
    inlet, = subscription.inlets.values()
    # The writer counts on, while DDS loses what it sends.
    writer = pair.sender._writers['loom/events/test/tail']
    writer._transmit = lambda _: None
    for number in range(5):
        pair.publish('test.tail', number, REALTIME)
    pair.until(lambda: inlet.account.dropped['lost'] == 5, f'{inlet.account.dropped}')
    assert (inlet.account.offered, inlet.account.unexplained(0)) == (6, 0)
    raw.publish(encode(Event.create('test.tail', 'late', source='s', stamp_ns=1), pair.sender._numbering.writer, 3))
    pair.until(lambda: inlet.account.dropped['repeated'] == 1)
    assert pair.heard == ['first']


def test_background_is_shed_before_realtime(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reception, 'MAX_BACKLOG', 30)
    kinds = {'test.low': BACKGROUND, 'test.high': REALTIME}
    subscriptions = {name: pair.subscribe(name, delivery) for name, delivery in kinds.items()}
    for subscription in subscriptions.values():
        subscription.pause()
    accounts = {name: next(iter(s.inlets.values())).account for name, s in subscriptions.items()}
    for name, delivery in kinds.items():
        for number in range(20):
            pair.publish(name, number, delivery)
    pair.until(lambda: all(account.offered == 20 for account in accounts.values()))
    assert (accounts['test.low'].dropped['shed'], accounts['test.high'].dropped['shed']) == (10, 0)
    for subscription in subscriptions.values():
        subscription.resume()
    pair.until(lambda: len(pair.heard) == 30)
    assert [account.unexplained(0) for account in accounts.values()] == [0, 0]
