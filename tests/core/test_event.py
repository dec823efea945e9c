"""The envelope: what it carries on, what it refuses."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.core.errors import EventError
from loom.core.event import HOP_LIMIT, MAX_PAYLOAD_BYTES, MAX_STAMP_NS, Event, Hop, check, encode
from loom.core.trace import trace_id

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2**53, 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12)


def event(**fields: Any) -> Event:
    return Event.create('test.thing', {'n': 1}, source='test', stamp_ns=1, **fields)


@given(JSON_VALUES)
def test_data_comes_back_as_it_was_given(data: Any) -> None:
    assert Event.create('a.b', data, source='s', stamp_ns=0).data == data


@pytest.mark.parametrize('data', [math.nan, [math.inf], {'a': object()}, b'bytes', {1, 2}, {(1, 2): 3}])
def test_data_that_json_cannot_carry_is_refused(data: Any) -> None:
    with pytest.raises(EventError, match='plain JSON'):
        encode(data)


def test_recursive_data_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(EventError, match='plain JSON'):
        encode(loop)


@pytest.mark.parametrize('fields', [
    {'confidence': math.nan}, {'confidence': math.inf}, {'confidence': -0.01}, {'confidence': 1.01},
    {'priority': -1}, {'priority': 256}, {'hops': 256}, {'hops': -1}, {'hop_limit': 0}, {'hop_limit': 256},
    {'id': ''}, {'id': 'x' * 31}, {'id': 'x' * 65}])
def test_fields_out_of_their_range_are_refused_with_rule_and_value(fields: dict[str, Any]) -> None:
    with pytest.raises(EventError, match='test.thing from \'test\': .*must') as refused:
        event(**fields)
    value = next(iter(fields.values()))
    assert str(len(value) if isinstance(value, str) else value) in str(refused.value)


@pytest.mark.parametrize('stamp_ns', [-1, MAX_STAMP_NS + 1])
def test_stamps_that_no_message_can_carry_are_refused(stamp_ns: int) -> None:
    with pytest.raises(EventError, match='stamp_ns must be in'):
        Event.create('a', source='s', stamp_ns=stamp_ns)


@pytest.mark.parametrize('field', ['expires_ns', 'reference_stamp_ns'])
def test_other_stamps_that_no_message_can_carry_are_refused(field: str) -> None:
    with pytest.raises(EventError, match=field):
        event(**{field: MAX_STAMP_NS + 1})


def test_the_payload_has_a_limit() -> None:
    full = Event('a', 's', 0, b'x' * MAX_PAYLOAD_BYTES)
    assert check(full) is full
    with pytest.raises(EventError, match=f'at most {MAX_PAYLOAD_BYTES} bytes, got {MAX_PAYLOAD_BYTES + 1}'):
        check(dataclasses.replace(full, payload=full.payload + b'x'))


@pytest.mark.parametrize('event_type', ['', 'A', 'a..b', 'a.', '.a', 'a b', 'a/b', '1a', 'ä', 'a' * 201, 'a\n', 'a.*'])
def test_a_type_that_is_no_type_is_refused(event_type: str) -> None:
    with pytest.raises(EventError, match='lower_snake words joined by dots'):
        Event.create(event_type, source='s', stamp_ns=0)


@given(st.integers(0, 254), st.integers(1, 255), st.integers(0, 255), st.text(max_size=20))
def test_a_child_stays_in_the_conversation(hops: int, hop_limit: int, priority: int, thread: str) -> None:
    parent = event(hops=hops, hop_limit=hop_limit, priority=priority, thread_id=thread)
    child = parent.child('test.next', source='other', stamp_ns=2)
    assert (child.thread_id, child.hops, child.hop_limit, child.priority) == (thread, hops + 1, hop_limit, priority)
    assert child.id != parent.id and child.data is None
    assert child.traceparent == parent.traceparent and trace_id(child.traceparent)


def test_what_belongs_to_one_event_is_not_handed_down() -> None:
    parent = event(expires_ns=5, reply_to='a', correlation_id='b', tags=('t',), metadata={'k': 'v'}, confidence=0.5)
    child = parent.child('test.next', source='other', stamp_ns=2)
    assert child == dataclasses.replace(
        Event('test.next', 'other', 2), id=child.id, hops=1, traceparent=child.traceparent)


def test_a_child_may_say_otherwise() -> None:
    child = event().child('test.next', source='s', stamp_ns=2, thread_id='mine', priority=7, traceparent='', hops=0)
    assert (child.thread_id, child.priority, child.traceparent, child.hops) == ('mine', 7, '', 0)


def test_an_answer_names_its_question() -> None:
    question = event(reply_to='asker', thread_id='t')
    answer = question.answer({'ok': True}, source='s', stamp_ns=2)
    assert (answer.type, answer.correlation_id, answer.thread_id) == ('reply', question.id, 't')
    assert answer.data == {'ok': True}


@given(st.integers(0, 100), st.integers(0, 100))
def test_an_event_expires_after_its_time_and_never_without(expires: int, now: int) -> None:
    assert event(expires_ns=expires).expired(now) == (expires != 0 and now > expires)


@pytest.mark.parametrize('payload', [b'{', b'\xff\xfe', b'{"x": NaN}', b'[' * 100_000])
def test_a_payload_that_is_not_json_is_an_event_error(payload: bytes) -> None:
    with pytest.raises(EventError, match='is not JSON'):
        _ = Event('a', 's', 0, payload, sender='x').data


def test_data_of_another_content_type_is_refused() -> None:
    with pytest.raises(EventError, match="needs a payload of application/json, got 'text/plain'"):
        _ = Event('a', 's', 0, b'hello', content_type='text/plain').data


def test_ids_are_unique_and_events_do_not_change() -> None:
    assert len({event().id for _ in range(1000)}) == 1000
    with pytest.raises(dataclasses.FrozenInstanceError):
        event().hops = 3  # type: ignore[misc]
    assert event().hop_limit == HOP_LIMIT
    assert json.loads(event().payload) == {'n': 1}


def test_a_field_that_there_is_not_is_named() -> None:
    with pytest.raises(TypeError, match='an Event has no field colour'):
        Event.create('a', source='s', stamp_ns=0, colour='red')


def test_a_stage_is_accounted_for_in_microseconds() -> None:
    seen = Event('a', 'camera', 0, sent_ns=1_000_000, origin_ns=500_000).arrived(3_000_000, 3_500_000)
    assert seen.hop('guard', 4_000_000) == Hop('guard', 2000, 500, 500) and seen.hop('guard').compute_us == 0
    sent = seen.child('b', source='guard', stamp_ns=0).sending(5_000_000)
    assert sent.path == (Hop('guard', 2000, 500, 1500),) and (sent.origin_ns, sent.sent_ns) == (500_000, 5_000_000)
    # A clock that was set back makes no negative times.
    assert seen.hop('guard', 1).compute_us == 0
