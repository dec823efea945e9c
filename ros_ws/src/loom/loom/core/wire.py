"""Events as they travel: the CDR encoding of loom_msgs/Event, the same for every DDS vendor.

Plain CDR, little-endian, of a final type (OMG DDS-XTypes 1.3, 7.4.1): what rclpy would write, written and read here
without a message object in between, and with a checksum, because DDS delivers corrupted samples as valid ones.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import fields
from functools import lru_cache
from typing import Any, NamedTuple

from loom.core.clock import NANOSECONDS
from loom.core.errors import EventError
from loom.core.event import Event, Hop

LITTLE_ENDIAN = b'\x00\x01\x00\x00'
START = len(LITTLE_ENDIAN)
_FIXED = struct.Struct('<QQQQiIiIiIBBBxf')
_NUMBER = struct.Struct('<QQ')
_LENGTH = struct.Struct('<I')
_TIMES = struct.Struct('<III')
_PADDING = (b'', b'\x00\x00\x00', b'\x00\x00', b'\x00')
_NO_LISTS = bytes(12)
# Where an id of 32 characters lies, what follows it, and the size of a traceparent of 55, length and padding included.
_ID_AT = START + _FIXED.size
_ID, _NAMES_AT = b'\x21\x00\x00\x00', _ID_AT + 40
_TRACE, _TRACE_SIZE = b'\x38\x00\x00\x00', 60
# A dict that has all its keys from the beginning need not grow.
_EMPTY: dict[str, Any] = dict.fromkeys(field.name for field in fields(Event))
STRINGS = ('id', 'type', 'source', 'thread_id', 'correlation_id', 'sender', 'reply_to', 'traceparent', 'tracestate',
           'content_type', 'reference_topic')


class Arrival(NamedTuple):
    """An event with the number its writer gave it; writer 0: not numbered."""

    event: Event
    writer: int
    sequence: int


def encode(event: Event, writer: int = 0, sequence: int = 0, sent_ns: int = 0) -> bytes:
    """The bytes of a checked event, as it leaves at `sent_ns` where that is given; EventError where a text is none."""
    try:
        return _encode(event, writer, sequence, sent_ns)
    except UnicodeEncodeError as error:
        raise EventError(f'{event.type} from {event.source!r}: text must be Unicode: {error}') from None


def _encode(event: Event, writer: int, sequence: int, sent_ns: int) -> bytes:
    origin_ns, path = event.origin_ns, event.path
    if sent_ns:
        origin_ns, path = origin_ns or sent_ns, event.path_until(sent_ns)
    size = len(event.payload)
    body = b''.join((
        LITTLE_ENDIAN, _FIXED.pack(
            writer, sequence, sent_ns or event.sent_ns, origin_ns, *divmod(event.stamp_ns, NANOSECONDS),
            *divmod(event.expires_ns, NANOSECONDS), *divmod(event.reference_stamp_ns, NANOSECONDS),
            event.hops, event.hop_limit, event.priority, event.confidence),
        _fresh(event.id),
        _names(event.type, event.source, event.thread_id, event.correlation_id, event.sender, event.reply_to),
        _fresh(event.traceparent),
        _names(event.tracestate, event.content_type, event.reference_topic),
        _lists(event.tags, event.metadata, path) if event.tags or event.metadata or path else _NO_LISTS,
        _LENGTH.pack(size), event.payload, _PADDING[size & 3]))
    return body + _LENGTH.pack(zlib.crc32(body) or 1)


def _lists(tags: tuple[str, ...], metadata: dict[str, str], path: tuple[Hop, ...]) -> bytes:
    parts = [_LENGTH.pack(len(tags)), *map(_fresh, tags), _LENGTH.pack(len(metadata))]
    for key, value in metadata.items():
        parts += (_fresh(key), _fresh(value))
    parts.append(_LENGTH.pack(len(path)))
    for hop in path:
        parts += (_names(hop.stage), _TIMES.pack(hop.transport_us, hop.queue_us, hop.compute_us))
    return b''.join(parts)


def number_of(data: bytes) -> tuple[int, int]:
    """(writer, sequence) of an encoded event; (0, 0) without a checksum, EventError where it does not fit.

    A damaged number that was believed would make all that follows look lost or heard before.
    """
    return _NUMBER.unpack_from(data, START) if _sealed(data) else (0, 0)


def decode(data: bytes) -> Arrival:
    """The event in these bytes, its meaning not yet checked; EventError names what is wrong with the encoding."""
    _sealed(data)
    return Arrival(Decoder()(data), *_NUMBER.unpack_from(data, START))


class Decoder:
    """Decodes events whose checksum was seen; what is said in the same words as the last time is not read again.

    The events of one topic differ in little, and reading a text costs as much as all numbers together.
    """

    def __init__(self) -> None:
        self._before, self._after = b'', b''
        self._known: dict[str, Any] = {}

    def __call__(self, data: bytes, arrived_ns: int = 0, began_ns: int = 0) -> Event:
        """The event, its meaning not yet checked; EventError names what is wrong with the encoding."""
        trace = _NAMES_AT + len(self._before)
        if (self._before and data.startswith(self._before, _NAMES_AT) and data.startswith(_ID, _ID_AT)
                and data.startswith(_TRACE, trace) and data.startswith(self._after, trace + _TRACE_SIZE)):
            values = self._known.copy()
            values['id'] = str(data[_ID_AT + 4:_NAMES_AT - 4], 'ascii', 'replace')
            values['traceparent'] = str(data[trace + 4:trace + _TRACE_SIZE - 1], 'ascii', 'replace')
            values['metadata'] = {}
            at = trace + _TRACE_SIZE + len(self._after)
        else:
            try:
                values, at = self._read(data)
            except struct.error:
                raise EventError(f'an event must be whole, it was cut at {len(data)} bytes') from None
            except UnicodeDecodeError as error:
                raise EventError(f'text in an event must be UTF-8: {error}') from None
        size = _LENGTH.unpack_from(data, at)[0] if at + 4 <= len(data) else len(data)
        if at + 8 + size > len(data):
            raise EventError(f'an event must be whole, it was cut at {len(data)} bytes')
        (_, _, values['sent_ns'], values['origin_ns'], stamp, stamp_ns, expires, expires_ns, reference, reference_ns,
         values['hops'], values['hop_limit'], values['priority'], values['confidence'],
         ) = _FIXED.unpack_from(data, START)
        values['stamp_ns'] = stamp * NANOSECONDS + stamp_ns
        values['expires_ns'] = expires * NANOSECONDS + expires_ns
        values['reference_stamp_ns'] = reference * NANOSECONDS + reference_ns
        values['payload'] = data[at + 4:at + 4 + size]
        values['arrived_ns'], values['began_ns'] = arrived_ns, began_ns
        event = Event.__new__(Event)
        object.__setattr__(event, '__dict__', values)
        return event

    def _read(self, data: bytes) -> tuple[dict[str, Any], int]:
        if data[:2] != LITTLE_ENDIAN[:2]:
            raise EventError(f'an event must be little-endian CDR, its header is {data[:4].hex()!r}')
        at, texts, ends = _ID_AT, [], []
        for _ in STRINGS:
            text, at = _text(data, at)
            texts.append(text)
            ends.append(at)
        tags, at = _texts(data, at, 1)
        metadata, at = _texts(data, at, 2)
        count, at = _count(data, at)
        path = []
        for _ in range(count):
            stage, at = _text(data, at)
            path.append(Hop(stage, *_TIMES.unpack_from(data, at)))
            at += _TIMES.size
        values = {**_EMPTY, **dict(zip(STRINGS, texts)), 'tags': tuple(tags), 'path': tuple(path),
                  'metadata': dict(zip(metadata[::2], metadata[1::2]))}
        if ends[0] == _NAMES_AT and ends[7] - ends[6] == _TRACE_SIZE and not metadata and not path:
            self._before, self._after, self._known = data[_NAMES_AT:ends[6]], data[ends[7]:at], values.copy()
        return values, at


def _sealed(data: bytes) -> bool:
    if len(data) < START + _FIXED.size:
        raise EventError(f'an event must be whole, it was cut at {len(data)} bytes')
    checksum = int.from_bytes(data[-4:], 'little')
    if checksum and checksum != (zlib.crc32(memoryview(data)[:-4]) or 1):
        raise EventError(f'the checksum of an event must fit its content, the last 4 of {len(data)} bytes do not')
    return bool(checksum)


def _fresh(text: str) -> bytes:
    if not text:
        return b'\x01\x00\x00\x00\x00\x00\x00\x00'
    raw = text.encode()
    size = len(raw) + 1
    return _LENGTH.pack(size) + raw + b'\x00' + _PADDING[size & 3]


@lru_cache(maxsize=1024)
def _names(*texts: str) -> bytes:
    return b''.join(map(_fresh, texts))


def _text(data: bytes, at: int) -> tuple[str, int]:
    size, = _LENGTH.unpack_from(data, at)
    at += 4
    if size == 1:
        return '', at + 4
    end = at + size - 1
    # An index out of range would be cut silently by the slice below.
    if not 1 <= size <= len(data) - at:
        raise EventError(f'text in an event must end inside it, it claims {size} bytes of {len(data) - at}')
    return data[at:end].decode(), (end + 4) & ~3


def _texts(data: bytes, at: int, of: int) -> tuple[list[str], int]:
    count, at = _count(data, at)
    texts = []
    for _ in range(count * of):
        text, at = _text(data, at)
        texts.append(text)
    return texts, at


def _count(data: bytes, at: int) -> tuple[int, int]:
    count, = _LENGTH.unpack_from(data, at)
    if count > len(data) - at:
        raise EventError(f'a list in an event must fit into it, it claims {count} entries in {len(data) - at} bytes')
    return count, at + 4
