"""Events as messages and back, whatever they hold."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip('rclpy')

from builtin_interfaces.msg import Time
from loom_msgs.msg import Event as EventMessage
from loom_msgs.msg import KeyValue
from rclpy.serialization import deserialize_message, serialize_message

from loom.core.event import MAX_STAMP_NS, Event
from loom.ros.convert import event_to_message, message_to_event, ns_to_stamp, stamp_to_ns

TEXT = st.text(st.characters(exclude_categories=['Cs'], exclude_characters='\0'), max_size=20)
STAMPS = st.integers(0, MAX_STAMP_NS)
BYTES = st.integers(0, 255)
FLOATS = st.floats(0, 1, width=32)
EVENTS = st.builds(
    Event, type=st.from_regex(r'[a-z]{1,5}(\.[a-z]{1,5}){0,2}', fullmatch=True), source=TEXT, stamp_ns=STAMPS,
    payload=st.binary(max_size=64), content_type=TEXT, id=st.uuids().map(lambda u: u.hex), thread_id=TEXT,
    correlation_id=TEXT, sender=TEXT, reply_to=TEXT, hops=BYTES, hop_limit=st.integers(1, 255), expires_ns=STAMPS,
    priority=BYTES, confidence=FLOATS, tags=st.lists(TEXT, max_size=4).map(tuple),
    metadata=st.dictionaries(TEXT, TEXT, max_size=4), traceparent=TEXT, tracestate=TEXT, reference_topic=TEXT,
    reference_stamp_ns=STAMPS)


@given(EVENTS)
def test_an_event_survives_the_wire(event: Event) -> None:
    wire = serialize_message(event_to_message(event))
    assert message_to_event(deserialize_message(wire, EventMessage)) == event


@given(STAMPS)
def test_stamps_are_exact(nanoseconds: int) -> None:
    assert stamp_to_ns(ns_to_stamp(nanoseconds)) == nanoseconds


def test_a_stamp_before_the_epoch_is_a_number_too() -> None:
    assert stamp_to_ns(Time(sec=-1, nanosec=5)) == -999_999_995


@pytest.mark.parametrize('fields', [
    {}, {'confidence': float('nan')}, {'type': '//', 'id': ''}, {'stamp': Time(sec=-5, nanosec=2**32 - 1)},
    {'metadata': [KeyValue(key='a', value='1'), KeyValue(key='a', value='2')]},
    {'payload': b'\xff' * 10}, {'hops': 255}])
def test_any_message_becomes_an_event_that_can_be_checked(fields: dict[str, Any]) -> None:
    assert isinstance(message_to_event(EventMessage(**fields)), Event)


def test_a_message_costs_no_copy_by_elements() -> None:
    message = event_to_message(Event('a', 's', 0, b'x' * 1000))
    assert type(message.payload).__name__ == 'array' and struct.calcsize(message.payload.typecode) == 1
