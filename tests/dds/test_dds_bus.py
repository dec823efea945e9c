"""DdsBus beyond the contract of every bus: bad input from the wire, books, credit, names, its end."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip('cyclonedds')

from loom.core.credit import NUMBER_BITS
from loom.core.delivery import BATCHED, REALTIME
from loom.core.errors import ConfigError, EventError
from loom.core.event import Event
from loom.core.wire import encode
from loom.dds import DdsBus

END_S = 2.0
Until = Callable[..., None]


@pytest.fixture
def bus(ros: Any) -> Iterator[DdsBus]:
    one = DdsBus(ros.namespace)
    yield one
    one.close()


def thing(number: int = 0) -> Event:
    return Event.create('test.thing', number, source='tester', stamp_ns=time.time_ns())


def damaged() -> list[bytes]:
    """Encodings that are none: cut, of other things, and with one bit wrong."""
    good, dice = encode(thing()), random.Random(1)
    flipped = [bytearray(good) for _ in range(200)]
    for one in flipped:
        one[dice.randrange(4, len(one) - 4)] ^= 1 << dice.randrange(8)
    cut = [good[:length] for length in range(4, len(good), 7)]
    return [b'\0\1\0\0', b'\0\1\0\0' + b'\xff' * 400, *cut, *map(bytes, flipped)]


def test_malformed_encodings_are_counted_and_refused(ros: Any, bus: DdsBus, until: Until) -> None:
    import rclpy
    from loom_msgs.msg import Event as Message

    from loom.ros.qos import publisher_profile
    heard: list[Event] = []
    bus.subscribe('test.thing', heard.append, BATCHED)
    publisher = ros.add(rclpy.create_node, 'foreign').create_publisher(
        Message, 'loom/events/test/thing', publisher_profile(BATCHED))
    bad = damaged()
    for data in bad:
        publisher.publish(data)
    publisher.publish(encode(thing(7)))
    until(lambda: heard, f'{bus.counts()}')
    assert [event.data for event in heard] == [7]
    assert bus.counts() == {'malformed': len(bad), 'delivered': 1}


@pytest.mark.parametrize('slow', ['dds', 'ros'])
def test_a_slow_reader_makes_the_writer_on_the_other_side_wait(ros: Any, bus: DdsBus, until: Until, slow: str) -> None:
    import rclpy

    from loom.ros.bus import RosBus
    other, heard = RosBus(ros.add(rclpy.create_node, 'other')), []
    sender, receiver = (other, bus) if slow == 'dds' else (bus, other)
    subscription = receiver.subscribe('test.thing', lambda event: heard.append(event.data), BATCHED)
    sender.publish(thing(), BATCHED)
    until(lambda: sender.room('test.thing') < BATCHED.depth, 'no credit came')
    subscription.pause()
    sent = 0
    while sent < 2 * BATCHED.depth and sender.room('test.thing') > 0:
        sent += 1
        sender.publish(thing(sent), BATCHED)
    assert sender.room('test.thing') == 0, 'nothing made it wait'
    subscription.resume()
    until(lambda: heard == list(range(sent + 1)) and sender.room('test.thing') > 0, f'sent {sent}, heard {len(heard)}')
    other.close()


def test_its_accounts_are_told_to_ros(ros: Any, bus: DdsBus, until: Until) -> None:
    import rclpy
    from loom_msgs.msg import Accounts

    from loom.core.delivery import STATE
    from loom.ros.qos import subscription_profile
    told: list[Any] = []
    ros.add(rclpy.create_node, 'reader').create_subscription(Accounts, 'loom/bus/accounts', told.append,
                                                             subscription_profile(STATE))
    bus.subscribe('test.thing', lambda e: None)
    for number in range(5):
        bus.publish(thing(number))
    topic = f'/{ros.namespace}/loom/events/test/thing'
    until(lambda: any(w.topic == topic and w.published == 5 for one in told for w in one.writers), f'{told}')
    until(lambda: any(r.topic == topic and r.offered == r.delivered == 5 for one in told for r in one.readers))


def test_namespaces_are_apart(bus: DdsBus, until: Until) -> None:
    stranger, heard = DdsBus('someone_else'), []
    stranger.subscribe('**', heard.append)
    bus.subscribe('test.thing', heard.append)
    bus.publish(thing(1))
    until(lambda: heard)
    assert len(heard) == 1 and stranger.counts() == {}
    stranger.close()


@pytest.mark.parametrize('text', ['-1', '233', 'home'])
def test_a_domain_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv('ROS_DOMAIN_ID', text)
    with pytest.raises(ConfigError, match='ROS_DOMAIN_ID must be a number from 0 to 232'):
        DdsBus()


def test_it_ends_in_time_while_a_handler_hangs(ros: Any, until: Until) -> None:
    bus, hangs, go_on = DdsBus(ros.namespace), threading.Event(), threading.Event()
    bus.subscribe('test.thing', lambda e: (hangs.set(), go_on.wait(END_S * 5)))
    bus.publish(thing())
    until(hangs.is_set)
    closing = threading.Thread(target=bus.close, daemon=True)
    closing.start()
    closing.join(END_S)
    assert not closing.is_alive()
    go_on.set()
    with pytest.raises(EventError, match='the bus is closed'):
        bus.publish(thing(), REALTIME)


@pytest.mark.parametrize('writes', ['dds', 'ros'])
def test_a_writer_knows_whose_the_readers_are(ros: Any, bus: DdsBus, until: Until, writes: str) -> None:
    """By what a reader is called in its credit, across the two buses."""
    import rclpy

    from loom.ros.bus import RosBus
    other = RosBus(ros.add(rclpy.create_node, 'other'))
    sender, receiver = (bus, other) if writes == 'dds' else (other, bus)
    sender.publish(thing(), BATCHED)
    writer: Any = sender._writers['loom/events/test/thing']
    assert not writer._present()
    subscription = receiver.subscribe('test.thing', lambda event: None, BATCHED)

    def granted() -> bool:
        sender.publish(thing(), BATCHED)
        return bool(writer.outlet._limits)
    until(granted, 'it grants nothing')
    tags = {reader >> NUMBER_BITS for reader in writer.outlet._limits}
    assert 0 not in tags and set(writer._present()) == tags
    subscription.close()
    until(lambda: not writer._present(), 'the reader is still matched')
