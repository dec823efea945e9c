"""What buses tell each other besides events, loom_msgs/Credit and loom_msgs/Accounts, in plain little-endian CDR."""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass
from typing import Any

from loom.core.clock import NANOSECONDS
from loom.core.errors import EventError
from loom.core.wire import LITTLE_ENDIAN, START

TEXT = 's'


@dataclass(frozen=True)
class Credit:
    """loom_msgs/Credit."""

    topic: str
    reader: int
    writer: int = 0
    limit: int = 0
    closed: bool = False


@dataclass(frozen=True)
class WriterAccount:
    """loom_msgs/WriterAccount."""

    topic: str
    delivery: str
    writer: int
    published: int
    refused: int
    held: int


@dataclass(frozen=True)
class ReaderAccount:
    """loom_msgs/ReaderAccount."""

    topic: str
    delivery: str
    offered: int
    delivered: int
    expired: int
    queued: int
    dropped: tuple[tuple[str, int], ...]
    failed: int
    wait_p50_ms: float
    wait_p99_ms: float


def encode_credit(credit: Credit) -> bytes:
    """The bytes of a credit."""
    body = bytearray()
    _put(body, 'sQQQ?', *astuple(credit))
    return LITTLE_ENDIAN + body


def decode_credit(data: bytes) -> Credit:
    """The credit in these bytes; EventError where they hold none."""
    return Credit(*_take(data, START, 'sQQQ?')[0])


def encode_accounts(stamp_ns: int, node: str, writers: list[WriterAccount], readers: list[ReaderAccount]) -> bytes:
    """The bytes of the accounts of one bus."""
    body = bytearray()
    _put(body, 'iIsI', *divmod(stamp_ns, NANOSECONDS), node, len(writers))
    for writer in writers:
        _put(body, 'ssQQQQ', *astuple(writer))
    _put(body, 'I', len(readers))
    for one in readers:
        reasons, numbers = [reason for reason, _ in one.dropped], [number for _, number in one.dropped]
        _put(body, 'ssQQQQI' + 's' * len(reasons), one.topic, one.delivery, one.offered, one.delivered, one.expired,
             one.queued, len(reasons), *reasons)
        _put(body, 'I' + 'Q' * len(numbers), len(numbers), *numbers)
        _put(body, 'Qff', one.failed, one.wait_p50_ms, one.wait_p99_ms)
    return LITTLE_ENDIAN + body


def decode_writers(data: bytes) -> list[WriterAccount]:
    """The writers in the bytes of accounts; EventError where they hold none."""
    (_, _, _, count), at = _take(data, START, 'iIsI')
    writers = []
    for _ in range(count):
        values, at = _take(data, at, 'ssQQQQ')
        writers.append(WriterAccount(*values))
    return writers


def _put(body: bytearray, codes: str, *values: Any) -> None:
    """Adds values, each at a multiple of its own size."""
    for code, value in zip(codes, values, strict=True):
        if code == TEXT:
            raw = value.encode() + b'\0'
            _put(body, 'I', len(raw))
            body += raw
        else:
            body += bytes(-len(body) % struct.calcsize(code)) + struct.pack('<' + code, value)


def _take(data: bytes, at: int, codes: str) -> tuple[list[Any], int]:
    """(values, where they end)."""
    values: list[Any] = []
    try:
        for code in codes:
            kind = 'I' if code == TEXT else code
            at += (START - at) % struct.calcsize(kind)
            value, = struct.unpack_from('<' + kind, data, at)
            at += struct.calcsize(kind)
            values.append(data[at:at + value - 1].decode() if code == TEXT else value)
            at += value if code == TEXT else 0
    except (struct.error, UnicodeDecodeError) as error:
        raise EventError(f'a message between buses must be whole, got {len(data)} bytes: {error}') from None
    return values, at
