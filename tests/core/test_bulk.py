"""Where the bulk of a message lies: tried against what ROS itself writes."""

from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.core.bulk import BULKS
from loom.core.errors import PayloadError

NAMES = st.text('abcdefgh', max_size=9)
PAYLOAD = st.binary(max_size=40)


def messages() -> Any:
    """Messages of every type that travels so."""
    pytest.importorskip('rclpy')
    from sensor_msgs.msg import CompressedImage, Image, PointCloud2, PointField
    from std_msgs.msg import Header, Int16MultiArray, MultiArrayDimension, MultiArrayLayout, UInt8MultiArray
    header = st.builds(Header, frame_id=NAMES)
    bytes_ = PAYLOAD.map(lambda data: array('B', data))
    words = PAYLOAD.map(lambda data: array('h', data[:len(data) // 2 * 2]))
    layout = st.builds(MultiArrayLayout, data_offset=st.integers(0, 9), dim=st.lists(
        st.builds(MultiArrayDimension, label=NAMES, size=st.integers(0, 9), stride=st.integers(0, 9)), max_size=3))
    return st.one_of(
        st.builds(Image, header=header, encoding=NAMES, height=st.integers(0, 99), data=bytes_),
        st.builds(CompressedImage, header=header, format=NAMES, data=bytes_),
        st.builds(PointCloud2, header=header, is_dense=st.booleans(), data=bytes_, fields=st.lists(
            st.builds(PointField, name=NAMES, offset=st.integers(0, 99)), max_size=4)),
        st.builds(UInt8MultiArray, layout=layout, data=bytes_), st.builds(Int16MultiArray, layout=layout, data=words))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_the_bulk_is_cut_out(data: st.DataObject) -> None:
    from rclpy.serialization import deserialize_message, serialize_message

    from loom.ros.heads import bulk_of
    message = data.draw(messages())
    bulk = bulk_of(type(message))
    whole = serialize_message(message)
    head, found = bulk.split(whole)
    assert found.tolist() == list(getattr(message, bulk.field)) and found.format == bulk.item
    setattr(message, f'_{bulk.field}', b'')
    bare = deserialize_message(head, type(message))
    assert not getattr(bare, bulk.field) and serialize_message(bare)[:4] == head[:4]
    assert [getattr(bare, name) for name in bare.get_fields_and_field_types() if name != bulk.field] == \
        [getattr(message, name) for name in bare.get_fields_and_field_types() if name != bulk.field]
    with pytest.raises(PayloadError):
        bulk.split(whole[:data.draw(st.integers(0, len(whole) - 1 - bulk.after))])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(BULKS)), st.binary(max_size=120))
def test_noise_is_refused_or_inside(name: str, noise: bytes) -> None:
    for data in (noise, b'\0\1\0\0' + noise):
        try:
            head, found = BULKS[name].split(data)
            assert len(head) + found.nbytes <= len(data) + 4
        except PayloadError:
            pass


@pytest.mark.parametrize('name', sorted(BULKS))
def test_lengths_that_lie(name: str) -> None:
    for length in (b'\xff\xff\xff\xff', b'\xff\xff\xff\x7f'):
        with pytest.raises(PayloadError, match=r'must be whole|must lie inside'):
            BULKS[name].split(b'\0\1\0\0' + length * 40)


def test_any_buffer_is_seen_as_bytes() -> None:
    import numpy as np
    bulk = BULKS['sensor_msgs/msg/Image']
    assert bytes(bulk.view(np.ones((2, 3), np.uint16))) == b'\1\0' * 6
    assert bulk.view(np.zeros((0, 3))).nbytes == 0 and bytes(bulk.view(array('h', [1]))) == b'\1\0'
