"""Handles to payloads in shared memory: the CDR encoding of loom_msgs/Payload."""

from __future__ import annotations

import struct
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from loom.core.errors import PayloadError
from loom.core.ring import Place

_FIXED = struct.Struct('<HxxQQQQIIII')
_LITTLE_ENDIAN = 0x0100
_LENGTH = struct.Struct('<I')
_NOTHING = b'\1\0\0\0\0\0\0\0'


class Handle(NamedTuple):
    """Where a message's bulk lies, and its `head`, the CDR of the message with an empty bulk.

    `pid` 0 says that the writer had no shared memory for it.
    """

    writer: int
    sequence: int
    sent_ns: int
    place: Place
    pid: int
    descriptor: int
    size: int
    host: str
    message_type: str
    head: bytes
    traceparent: str = ''


@cache
def this_host() -> str:
    """The boot id: memory is shared where it is the same."""
    return Path('/proc/sys/kernel/random/boot_id').read_text().strip()


def encode(handle: Handle) -> bytes:
    """The bytes of a handle."""
    writer, sequence, sent_ns, (slot, generation), pid, descriptor, size, host, message_type, head, trace = handle
    return b''.join((
        _FIXED.pack(_LITTLE_ENDIAN, writer, sequence, sent_ns, generation, pid, descriptor, slot, size), _known(host),
        _known(message_type), _field(head), _field(trace.encode() + b'\0') if trace else _NOTHING))


def decode(data: bytes) -> Handle:
    """The handle in these bytes; PayloadError where they hold none."""
    try:
        encapsulation, writer, sequence, sent_ns, generation, pid, descriptor, slot, size = _FIXED.unpack_from(data)
        if encapsulation != _LITTLE_ENDIAN:
            raise PayloadError(f'a handle must be little-endian CDR, its header is {data[:4].hex()!r}')
        fields, at = [], _FIXED.size
        for _ in range(4):
            length, = _LENGTH.unpack_from(data, at)
            at += _LENGTH.size
            if length > len(data) - at:
                raise PayloadError(f'a field of a handle must end inside it, it claims {length} bytes of {len(data)}')
            fields.append(data[at:at + length])
            at += -(-length // 4) * 4
        host, message_type, head, traceparent = fields
        return Handle(writer, sequence, sent_ns, Place(slot, generation), pid, descriptor, size,
                      host[:-1].decode(), message_type[:-1].decode(), head, traceparent[:-1].decode())
    except (struct.error, UnicodeDecodeError) as error:
        raise PayloadError(f'a handle must be whole CDR, these {len(data)} bytes are not: {error}') from None


def _field(data: bytes) -> bytes:
    return _LENGTH.pack(len(data)) + data + bytes(-len(data) % 4)


@lru_cache(maxsize=64)
def _known(text: str) -> bytes:
    return _field(text.encode() + b'\0')
