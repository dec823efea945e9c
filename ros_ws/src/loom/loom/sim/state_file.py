"""A file that holds the newest of two records, so that a process killed while it writes leaves the one before."""

from __future__ import annotations

import errno
import os
import struct
import zlib
from contextlib import suppress
from pathlib import Path

from loom.core.errors import SimulationError

MAGIC = b'loomsim1'
MAX_RECORD = 1 << 20
CONSEQUENCE = 'the world will not go on where it was when its process is killed'
# Magic and fingerprint; number, length and checksum of a record.
_HEADER, _RECORD = struct.Struct('<8s32s'), struct.Struct('<QII')
_SLOT = _RECORD.size + MAX_RECORD


class StateFile:
    """Records are written in turns to two places of it; the number and the checksum say which one is good and newest.

    They outlive the process, not the machine: nothing waits for the disk.
    """

    def __init__(self, path: Path) -> None:
        """Reads what is there; `damage` says what is wrong with it."""
        self._path = path
        self._file: int | None = None
        self._number = 0
        self.fingerprint, self.newest, self.damage = b'', b'', ''
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._read(self._file)
        except OSError as error:
            self.damage = f'the state file must be one that can be written, got {error}; {CONSEQUENCE}'

    def renew(self, fingerprint: bytes) -> None:
        """Begins again, empty, for what the fingerprint (32 bytes) stands for; SimulationError where it can't be."""
        self.discard()
        self._write(_HEADER.pack(MAGIC, fingerprint), 0)
        self.fingerprint, self.newest = fingerprint, b''

    def write(self, record: bytes) -> None:
        """Replaces the older of both records; SimulationError where it is too large or the disk is full."""
        if len(record) > MAX_RECORD:
            raise SimulationError(f'a state must have at most {MAX_RECORD} bytes, got {len(record)}; {CONSEQUENCE}')
        number = self._number + 1
        self._write(_RECORD.pack(number, len(record), _checksum(number, record)) + record, _place(number))
        self._number = number

    def discard(self) -> None:
        """Forgets everything: what can't be kept up to date must not be gone on from."""
        if self._file is not None:
            with suppress(OSError):
                os.ftruncate(self._file, 0)

    def close(self) -> None:
        """Closes the file; the records stay."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _write(self, data: bytes, place: int) -> None:
        if self._file is None:
            raise SimulationError(self.damage or f'the state file is closed; {CONSEQUENCE}')
        try:
            if os.pwrite(self._file, data, place) == len(data):
                return
            reason = os.strerror(errno.ENOSPC)
        except OSError as error:
            reason = str(error)
        raise SimulationError(f'the state file must be one that can be written, got {reason}; {CONSEQUENCE}')

    def _read(self, file: int) -> None:
        header = os.pread(file, _HEADER.size, 0)
        if not header:
            return
        if len(header) < _HEADER.size or header[:len(MAGIC)] != MAGIC:
            self.damage = f'{self._path.name} must be a state file, got something else'
            return
        self.fingerprint = header[len(MAGIC):]
        slots = [_slot(file, number) for number in range(2)]
        self._number, self.newest = max((slot for slot in slots if slot is not None), default=(0, b''))
        if slots == [None, None]:
            self.damage = f'{self._path.name} must have a whole record, got two that are damaged'


def _slot(file: int, parity: int) -> tuple[int, bytes] | None:
    """Number and record; None where they are damaged, and number 0 where nothing was written yet."""
    head = os.pread(file, _RECORD.size, _place(parity))
    if not head.strip(b'\0'):
        return 0, b''
    if len(head) < _RECORD.size:
        return None
    number, length, checksum = _RECORD.unpack(head)
    record = os.pread(file, min(length, MAX_RECORD), _place(parity) + _RECORD.size)
    return (number, record) if len(record) == length and _checksum(number, record) == checksum else None


def _place(number: int) -> int:
    return _HEADER.size + number % 2 * _SLOT


def _checksum(number: int, record: bytes) -> int:
    return zlib.crc32(record, zlib.crc32(number.to_bytes(8, 'little')))
