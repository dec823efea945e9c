"""Messages without their bulk: the kept head is never another message's."""

from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip('rclpy')
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CompressedImage, Image, PointCloud2, PointField
from std_msgs.msg import Int16MultiArray

from loom.core.bulk import BULKS
from loom.ros.heads import HeadReader, HeadWriter, is_large, set_bulk, type_name

FEW = st.sampled_from(['', 'a', 'frame', 'mono8'])


def image(sec: int, nanosec: int, frame: str, encoding: str, width: int) -> Image:
    message = Image(encoding=encoding, width=width, data=array('B', bytes(width)))
    message.header.frame_id, message.header.stamp.sec, message.header.stamp.nanosec = frame, sec, nanosec
    return message


@settings(max_examples=100, deadline=None)
@given(st.lists(st.builds(image, st.integers(-2**31, 2**31 - 1), st.integers(0, 2**32 - 1), FEW, FEW,
                          st.integers(0, 3)), max_size=12))
def test_each_message_keeps_its_own(messages: list[Image]) -> None:
    sender, receiver = HeadWriter(Image), HeadReader(Image)
    for message in messages:
        before = serialize_message(message)[:4], message.data
        head = sender.head(message)
        bare = deserialize_message(head, Image)
        assert not bare.data and before == (head[:4], message.data), 'the message of the caller is changed'
        arrived = receiver.message(head)
        assert arrived == bare
        set_bulk(arrived, message.data)
        assert arrived == message and deserialize_message(serialize_message(arrived), Image) == message
        # What a handler changes is its own.
        arrived.header.frame_id, arrived.width = 'changed', 77


def test_lists_inside_are_not_shared() -> None:
    sender, receiver = HeadWriter(PointCloud2), HeadReader(PointCloud2)
    cloud = PointCloud2(fields=[PointField(name='x')], is_dense=True)
    first = receiver.message(sender.head(cloud))
    first.fields.clear()
    cloud.fields[0].name = 'y'
    assert receiver.message(sender.head(cloud)).fields == [PointField(name='y')]


@pytest.mark.parametrize('kind', [Image, CompressedImage, PointCloud2, Int16MultiArray])
def test_large_types_are_known(kind: type[Any]) -> None:
    assert is_large(kind) and type_name(kind) in BULKS and not is_large(PointField)


def test_malformed_heads_raise() -> None:
    heads = HeadReader(Image)
    with pytest.raises((ValueError, RuntimeError)):
        heads.message(b'\0\1\0\0\1')
    assert heads.message(HeadWriter(Image).head(Image(width=4))).width == 4
