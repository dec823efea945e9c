"""Raw CDR that no honest program sends: the node lives, what is delivered is checked, the rest is counted."""

from __future__ import annotations

import logging
import random
import resource
import time
from collections.abc import Callable
from typing import Any

import pytest

rclpy = pytest.importorskip('rclpy')

from directory_reader import read  # noqa: E402
from loom_msgs.msg import Directory as DirectoryMessage  # noqa: E402
from loom_msgs.msg import Event as EventMessage  # noqa: E402
from rclpy.serialization import serialize_message  # noqa: E402

from loom.agents.directory import AgentCard  # noqa: E402
from loom.core.delivery import REALTIME  # noqa: E402
from loom.core.event import Event, check  # noqa: E402
from loom.core.wire import encode  # noqa: E402
from loom.ros.bus import RosBus  # noqa: E402
from loom.ros.convert import event_to_message  # noqa: E402
from loom.ros.directory import TELL, TOPIC, directory_of  # noqa: E402
from loom.ros.qos import publisher_profile  # noqa: E402

Until = Callable[..., None]
FLIPS = 5000
MANY = 10_000
MAX_GROWTH_KB = 50 * 1024
HOUR_NS = 3600 * 10**9


def sample(**fields: Any) -> bytes:
    event = Event.create('test.thing', {'n': [1, 2, 3]}, source='attacker', sender='attacker', stamp_ns=1,
                         tags=('a', 'b'), metadata={'k': 'v'}, **fields)
    return bytes(serialize_message(event_to_message(event)))


def flip(dice: random.Random, data: bytearray) -> None:
    for _ in range(dice.randint(1, 8)):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


class Attack:
    """A publisher of raw bytes and a bus that hears them."""

    def __init__(self, ros: Any, until: Until) -> None:
        self.until = until
        self.heard: list[Event] = []
        outside = ros.add(rclpy.create_node, 'outside')
        self.raw = outside.create_publisher(EventMessage, 'loom/events/test/thing', publisher_profile(REALTIME))
        self.good = RosBus(outside)
        self.bus = RosBus(ros.add(rclpy.create_node, 'inside'))
        self.bus.subscribe('test.thing', self.heard.append)
        self.bus.subscribe('test.proof', self.heard.append)
        until(lambda: self.raw.get_subscription_count() == 1)

    def prove_alive(self) -> None:
        """The bus still delivers good events, after all that came before."""
        proof = Event.create('test.proof', source='s', stamp_ns=1)
        self.good.publish(proof)
        self.until(lambda: any(e.id == proof.id for e in self.heard), 'the bus is deaf')

    def settled(self) -> dict[str, int]:
        """The counts after one more good event came through the same reader."""
        last = sample(thread_id='last')
        self.raw.publish(last)
        self.until(lambda: any(e.thread_id == 'last' for e in self.heard), 'the reader is deaf')
        self.prove_alive()
        return self.bus.counts()


@pytest.fixture
def attack(ros: Any, until: Until) -> Attack:
    return Attack(ros, until)


@pytest.mark.parametrize('raw', [
    b'', b'\x00', b'\x00\x01\x00\x00', b'\x00\x01\x00\x00' + b'\xff' * 8, b'\xff' * 1000, b'\x00' * 4096,
    b'\x00\x01\x00\x00\xff\xff\xff\xff' + b'a' * 100, b'\x00\x00' + sample()[2:]],
    ids=['empty', 'byte', 'header', 'length', 'ff', 'zeros', 'long text', 'big-endian'])
def test_bytes_that_are_no_message(attack: Attack, raw: bytes) -> None:
    for _ in range(3):
        attack.raw.publish(raw)
    attack.settled()
    assert all(check(e) for e in attack.heard)


def test_messages_cut_at_every_length(attack: Attack) -> None:
    whole = sample()
    for length in range(0, len(whole), 7):
        attack.raw.publish(whole[:length])
    attack.settled()
    assert all(check(e) for e in attack.heard)


def test_messages_with_flipped_bits_are_delivered_checked_or_not_at_all(attack: Attack) -> None:
    dice = random.Random(7)
    whole = sample()
    for number in range(FLIPS):
        flipped = bytearray(whole)
        flip(dice, flipped)
        attack.raw.publish(bytes(flipped))
        if number % 20 == 19:
            attack.prove_alive()
    counts = attack.settled()
    assert counts.get('malformed', 0) > 0, counts
    assert all(check(e) for e in attack.heard)


def test_sealed_events_arrive_as_they_were_sent_or_not_at_all(attack: Attack) -> None:
    dice = random.Random(11)
    sent: dict[str, Event] = {}
    for number in range(FLIPS):
        event = Event.create('test.thing', {'n': number}, source='honest', sender='honest', stamp_ns=1, tags=('a',))
        sent[event.id] = event
        flipped = bytearray(encode(event, writer=7, sequence=number))
        if number % 3:
            flip(dice, flipped)
        attack.raw.publish(bytes(flipped))
        if number % 20 == 19:
            attack.prove_alive()
    counts = attack.settled()
    heard = [event for event in attack.heard if event.source == 'honest']
    assert len(heard) > FLIPS // 4 and all(event == sent[event.id] for event in heard)
    assert counts['malformed'] > FLIPS // 2, counts


def test_a_replayed_event_is_processed_once(attack: Attack) -> None:
    event = Event.create('test.thing', source='honest', sender='honest', stamp_ns=1)
    for writer in (7, 7, 8, 0):
        attack.raw.publish(encode(event, writer, sequence=0))
    counts = attack.settled()
    assert [e.id for e in attack.heard].count(event.id) == 1
    assert counts['repeated'] + counts['duplicate'] == 3, counts


def test_an_event_from_the_future_is_refused_and_its_sender_named(attack: Attack,
                                                                 caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    event = Event.create('test.thing', source='dreamer', sender='dreamer', stamp_ns=time.time_ns() + HOUR_NS)
    attack.raw.publish(encode(event))
    assert attack.settled()['future'] == 1 and event not in attack.heard
    assert "from 'dreamer': future" in caplog.text


def test_many_types_on_one_topic_make_few_counts(attack: Attack) -> None:
    for number in range(MANY):
        attack.raw.publish(encode(Event.create(f'test.t{number}', source=f's{number}', sender=f's{number}',
                                               stamp_ns=1)))
        if number % 20 == 19:
            attack.prove_alive()
    counts = attack.settled()
    assert len(counts) < 10 and len(attack.bus.reception.accounts()) == 2, counts


def test_a_huge_length_takes_no_memory(attack: Attack) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    whole = sample()
    for place in range(4, len(whole) - 4, 4):
        for length in (b'\xff\xff\xff\x7f', b'\xff\xff\xff\xff'):
            attack.raw.publish(whole[:place] + length + whole[place + 4:])
    attack.settled()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MAX_GROWTH_KB


def test_a_source_of_malformed_events_is_logged_once(attack: Attack, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    bad = EventMessage(type='test.thing', id='short', sender='attacker', hop_limit=16)
    for _ in range(20):
        attack.raw.publish(bytes(serialize_message(bad)))
    assert attack.settled()['malformed'] == 20
    assert [r.getMessage() for r in caplog.records if 'attacker' in r.getMessage()] == [
        "dropped test.thing from 'attacker': malformed: test.thing from '': id must have 32 to 64 characters, got 5 "
        '(said once; see the counts)']


def test_text_that_is_no_utf8(attack: Attack) -> None:
    attack.raw.publish(sample().replace(b'attacker', b'\xff\xfe\xfd\x80aaaa'))
    attack.settled()


def test_a_directory_that_can_not_be_read_is_left_out(ros: Any, until: Until) -> None:
    reader = read(ros)
    raw = ros.add(rclpy.create_node, 'outside').create_publisher(DirectoryMessage, TOPIC, publisher_profile(TELL))
    until(lambda: raw.get_subscription_count() == 1)
    good = bytes(serialize_message(directory_of('host', [AgentCard('guard')], 1)))
    damaged = [good[:length] for length in (0, 4, 30)] + [good[:4] + b'\xff' * len(good)]
    for data in damaged:
        raw.publish(data)
    until(lambda: raw.publish(good) or [card.id for card in reader.directory.find()] == ['guard'])
    assert list(reader.directory.hosts) == ['host']
