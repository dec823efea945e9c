"""Messages without their bulk: as bytes and back, fast where only the stamp differs from one to the next.

A sensor's messages differ in stamp and bulk only, and ROS's own conversion is slow when its code is not in the
processor's cache: at the rate of a camera it never is. So the last one is kept, and gets a new stamp.
"""

from __future__ import annotations

import struct
from functools import cache
from operator import attrgetter
from typing import Any, cast

from rclpy.serialization import deserialize_message, serialize_message

from loom.core.bulk import BULKS, Bulk

PLAIN = {'boolean', 'uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'float', 'double', 'string'}
# In the CDR of a message that begins with a header, after the encapsulation.
_STAMP = struct.Struct('<iI')
_FROM, _TO = 4, 4 + _STAMP.size


def is_large(message_type: type[Any]) -> bool:
    """Whether messages of this type go through shared memory."""
    return type_name(message_type) in BULKS


def bulk_of(message_type: type[Any]) -> Bulk:
    """Where the bulk of a large type is."""
    return BULKS[type_name(message_type)]


def type_name(message_type: type[Any]) -> str:
    """The name of a message type as ROS tools write it, as in sensor_msgs/msg/Image."""
    return _full_name(message_type.__module__, message_type.__name__)


def set_bulk(message: Any, data: Any) -> None:
    """Puts any buffer into a message's bulk field as it is; the field's own check looks at every byte."""
    bulk = bulk_of(type(message))
    setattr(message, f'_{bulk.field}', bulk.view(data).cast(bulk.item))


class HeadWriter:
    """The heads of one sender's messages."""

    def __init__(self, message_type: type[Any]) -> None:
        self._bulk = f'_{bulk_of(message_type).field}'
        self._repeats = _repeats(message_type)
        slots = [f'_{field}' for field in message_type.get_fields_and_field_types()]
        self._values = attrgetter('_header._frame_id', *(s for s in slots if s not in ('_header', self._bulk)))
        self._stamp = attrgetter('_header._stamp._sec', '_header._stamp._nanosec')
        self._last: Any = None
        self._start = self._rest = b''

    def head(self, message: Any) -> bytes:
        """The CDR of the message with an empty bulk."""
        if not self._repeats:
            return self._serialized(message)
        values = self._values(message)
        if values != self._last:
            head = self._serialized(message)
            self._last, self._start, self._rest = values, head[:_FROM], head[_TO:]
        return self._start + _STAMP.pack(*self._stamp(message)) + self._rest

    def _serialized(self, message: Any) -> bytes:
        # The caller's message is left alone: another thread may be reading it.
        bare = _copy(message)
        setattr(bare, self._bulk, b'')
        return cast(bytes, serialize_message(bare))


class HeadReader:
    """The messages of heads."""

    def __init__(self, message_type: type[Any]) -> None:
        self._type, self._repeats = message_type, _repeats(message_type)
        self._last: Any = None
        self._start = self._rest = b''

    def message(self, head: bytes) -> Any:
        """The message with that head, its bulk empty; what rclpy raises where it is malformed."""
        if not self._repeats:
            return deserialize_message(head, self._type)
        if self._last is None or not (head.startswith(self._start) and head.endswith(self._rest)
                                      and len(head) == _TO + len(self._rest)):
            self._last = deserialize_message(head, self._type)
            self._start, self._rest = head[:_FROM], head[_TO:]
        message = _copy(self._last)
        message._header = _copy(self._last._header)
        stamp = message._header._stamp = _copy(self._last._header._stamp)
        stamp._sec, stamp._nanosec = _STAMP.unpack_from(head, _FROM)
        return message


@cache
def _full_name(module: str, name: str) -> str:
    package, kind = module.split('.')[:2]
    return f'{package}/{kind}/{name}'


def _repeats(message_type: type[Any]) -> bool:
    """Whether it has a header and, besides, nothing that two messages must not share."""
    types = dict(message_type.get_fields_and_field_types())
    del types[bulk_of(message_type).field]
    return types.pop('header', '') == 'std_msgs/Header' and set(types.values()) <= PLAIN


def _copy(message: Any) -> Any:
    copy: Any = object.__new__(type(message))
    for slot in copy.__slots__:
        setattr(copy, slot, getattr(message, slot))
    return copy
