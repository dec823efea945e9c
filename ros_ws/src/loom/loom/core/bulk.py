"""Messages whose one large field travels apart, and where it lies in their CDR.

The rest of a message, with an empty bulk field, is its head: small enough to be read and written as usual.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Literal

from loom.core.errors import PayloadError

LITTLE_ENDIAN = b'\x00\x01'
_START = 4
_LENGTH = struct.Struct('<I')
_SIZES = {'I': 4, 'B': 1}


@dataclass(frozen=True)
class Bulk:
    """The field of that name, of items `B` or `h`; `before` it lie I (32 bit), B (8 bit), s (string), [] (sequence).

    `after` it lie so many bytes, of 8 bit fields.
    """

    field: str
    before: str
    after: int = 0
    item: Literal['B', 'h'] = 'B'

    def split(self, data: bytes) -> tuple[bytes, memoryview]:
        """Head and bulk of a message's little-endian CDR, the bulk in place; PayloadError where it is malformed."""
        try:
            at = _aligned(_skip(self.before, data, _START, len(data)), 4)
            count, = _LENGTH.unpack_from(data, at)
        except struct.error:
            raise PayloadError(f'a message must be whole, it was cut at {len(data)} bytes') from None
        begin = at + _LENGTH.size
        end = begin + count * struct.calcsize(self.item)
        if data[:2] != LITTLE_ENDIAN or end + self.after > len(data):
            raise PayloadError(f'{self.field!r} must lie inside little-endian CDR, it claims to end at byte {end} of '
                               f'{len(data)} after {data[:4].hex()!r}')
        head = data[:at] + bytes(_LENGTH.size) + data[end:end + self.after]
        return head, memoryview(data)[begin:end].cast(self.item)

    def view(self, value: Any) -> memoryview:
        """The bytes of a bulk field's value, whatever buffer it is."""
        view = memoryview(value)
        return view.cast('B') if view.nbytes else memoryview(b'')


# Not more than sensors need: each is tried against what ROS itself writes.
BULKS = {
    'sensor_msgs/msg/Image': Bulk('data', 'IIsIIsBI'),
    'sensor_msgs/msg/CompressedImage': Bulk('data', 'IIss'),
    'sensor_msgs/msg/PointCloud2': Bulk('data', 'IIsII[sIBI]BII', after=1),
    'std_msgs/msg/UInt8MultiArray': Bulk('data', '[sII]I'),
    'std_msgs/msg/Int16MultiArray': Bulk('data', '[sII]I', item='h'),
}


def _skip(layout: str, data: bytes, at: int, end: int) -> int:
    """Where these fields end that begin at `at`."""
    position = 0
    while position < len(layout):
        kind = layout[position]
        if at > end:
            raise struct.error
        if kind in _SIZES:
            at = _aligned(at, _SIZES[kind]) + _SIZES[kind]
        else:
            at = _aligned(at, 4)
            count, = _LENGTH.unpack_from(data, at)
            at += _LENGTH.size
            if kind == 's':
                at += count
            else:
                close = layout.index(']', position)
                at = _skip_all(layout[position + 1:close], count, data, at, end)
                position = close
        position += 1
    return at


def _skip_all(layout: str, count: int, data: bytes, at: int, end: int) -> int:
    if count > end - at:
        raise struct.error
    for _ in range(count):
        at = _skip(layout, data, at, end)
    return at


def _aligned(at: int, size: int) -> int:
    # Alignment counts from the end of the 4 bytes of encapsulation, which keeps it for sizes up to 4.
    return -(-at // size) * size
