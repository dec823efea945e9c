"""The encoding of events: the same bytes as ROS writes, and nothing damaged gets through."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.core.errors import EventError
from loom.core.event import Event, Hop, check
from loom.core.wire import decode, encode, number_of

TEXT = st.text(st.characters(blacklist_categories=('Cs',), blacklist_characters='\0'), max_size=20)
EVENTS = st.builds(
    Event, type=st.sampled_from(['a', 'camera.front.object']), source=TEXT, stamp_ns=st.integers(0, 1 << 60),
    payload=st.binary(max_size=40), thread_id=TEXT, sender=TEXT, reply_to=TEXT, hops=st.integers(0, 255),
    hop_limit=st.integers(1, 255), expires_ns=st.integers(0, 1 << 60), priority=st.integers(0, 255),
    confidence=st.sampled_from([0.0, 0.5, 1.0]), tags=st.lists(TEXT, max_size=3).map(tuple),
    metadata=st.dictionaries(TEXT, TEXT, max_size=3), reference_topic=TEXT, sent_ns=st.integers(0, (1 << 64) - 1),
    path=st.lists(st.builds(Hop, TEXT, *[st.integers(0, (1 << 32) - 1)] * 3), max_size=3).map(tuple))


@settings(max_examples=200, deadline=None)
@given(event=EVENTS, writer=st.integers(0, (1 << 64) - 1), sequence=st.integers(0, (1 << 64) - 1))
def test_what_goes_in_comes_out(event: Event, writer: int, sequence: int) -> None:
    data = encode(event, writer, sequence)
    arrived = decode(data)
    assert arrived == (event, writer, sequence) and number_of(data) == (writer, sequence)
    assert (arrived.event.sent_ns, arrived.event.path) == (event.sent_ns, event.path)


@settings(max_examples=100, deadline=None)
@given(event=EVENTS, writer=st.integers(0, (1 << 64) - 1))
def test_ros_reads_what_is_written_here_and_the_other_way_round(event: Event, writer: int) -> None:
    pytest.importorskip('rclpy')
    from loom_msgs.msg import Event as Message
    from rclpy.serialization import deserialize_message, serialize_message
    message = deserialize_message(encode(event, writer, 3), Message)
    assert (message.writer, message.sequence, message.type, message.source) == (writer, 3, event.type, event.source)
    assert bytes(message.payload) == event.payload
    assert [hop.stage for hop in message.path] == [hop.stage for hop in event.path]
    message.checksum = 0
    data = bytes(serialize_message(message))
    assert decode(data) == (event, writer, 3)
    assert number_of(data) == (0, 0), 'a number without a checksum is not believed'


def sample() -> bytes:
    event = Event.create('a.b', {'n': [1, 2, 3]}, source='s', stamp_ns=1, tags=('x', 'yy'), metadata={'k': 'v'})
    return encode(event, 5, 6)


def test_every_cut_and_every_flipped_bit_is_found() -> None:
    whole = sample()
    for length in range(len(whole)):
        with pytest.raises(EventError):
            decode(whole[:length])
    for place in range(len(whole) - 4):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            with pytest.raises(EventError):
                number_of(bytes(damaged))


def test_bytes_that_are_no_event_are_refused_or_mean_something() -> None:
    dice = random.Random(7)
    unsealed = sample()[:-4] + b'\0\0\0\0'
    for _ in range(5000):
        damaged = bytearray(unsealed)
        for _ in range(dice.randint(1, 6)):
            damaged[dice.randrange(len(damaged) - 4)] = dice.choice((0, 255, dice.randrange(256)))
        try:
            check(decode(bytes(damaged)).event)
        except EventError:
            continue


@pytest.mark.parametrize(('data', 'rule'), [
    (b'', 'cut at 0 bytes'), (b'\0\0\0\0' + bytes(100), 'little-endian CDR'), (b'\0\1\0\0', 'cut at 4 bytes'),
    (b'\0\1\0\0' + bytes(64) + b'\xff\xff\xff\xff' + bytes(90), 'text in an event must end inside it'),
    (b'\0\1\0\0' + bytes(64) + b'\1\0\0\0\0\0\0\0' * 11 + b'\xff\xff\xff\x7f' + bytes(12),
     'a list in an event must fit')])
def test_the_error_names_what_is_wrong(data: bytes, rule: str) -> None:
    with pytest.raises(EventError, match=rule):
        decode(data)


@pytest.mark.parametrize('changes', [{'source': '\ud800'}, {'metadata': {'k': '\ud800'}}])
def test_text_that_no_wire_carries_is_refused_at_publish(changes: dict[str, Any]) -> None:
    with pytest.raises(EventError, match='text must be Unicode'):
        encode(dataclasses.replace(decode(sample()).event, **changes))
