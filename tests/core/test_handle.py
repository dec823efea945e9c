"""Handles: the same bytes as ROS writes, and nothing damaged gets through."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.core.errors import PayloadError
from loom.core.handle import Handle, decode, encode, this_host
from loom.core.ring import Place

WORD, LONG = st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 64) - 1)
TEXT = st.text(st.characters(blacklist_categories=('Cs',), blacklist_characters='\0'), max_size=20)
HANDLES = st.builds(Handle, LONG, LONG, LONG, st.builds(Place, WORD, LONG), WORD, WORD, WORD, TEXT, TEXT,
                    st.binary(max_size=60), TEXT)


@settings(max_examples=200, deadline=None)
@given(HANDLES)
def test_what_goes_in_comes_out(handle: Handle) -> None:
    assert decode(encode(handle)) == handle


@settings(max_examples=50, deadline=None)
@given(HANDLES)
def test_ros_reads_what_is_written_here_and_the_other_way_round(handle: Handle) -> None:
    pytest.importorskip('rclpy')
    from loom_msgs.msg import Payload
    from rclpy.serialization import deserialize_message, serialize_message
    message = deserialize_message(encode(handle), Payload)
    assert (message.writer, message.generation, message.slot, message.size) == (
        handle.writer, handle.place.generation, handle.place.slot, handle.size)
    assert (message.host, message.message_type, bytes(message.head), message.traceparent) == handle[7:]
    assert decode(serialize_message(message)) == handle


@settings(max_examples=200, deadline=None)
@given(HANDLES, st.data())
def test_damaged_handles_are_refused_or_whole(handle: Handle, data: st.DataObject) -> None:
    whole = encode(handle)
    cut = data.draw(st.integers(0, len(whole) - 4))
    with pytest.raises(PayloadError):
        decode(whole[:cut])
    at, value = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 255))
    try:
        assert isinstance(decode(whole[:at] + bytes([value]) + whole[at + 1:]), Handle)
    except PayloadError:
        pass


@pytest.mark.parametrize('noise', [b'', b'\0\1\0\0', b'\0\0' + bytes(80), b'\0\1' + b'\xff' * 80])
def test_noise_is_no_handle(noise: bytes) -> None:
    with pytest.raises(PayloadError):
        decode(noise)


def test_a_host_has_one_name() -> None:
    assert len(this_host()) == 36 and this_host() == this_host()
