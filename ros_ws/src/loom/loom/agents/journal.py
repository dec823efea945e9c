"""The journal of an agent: what it has begun and what it has done, in a file that outlives a killed process."""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import zlib
from functools import lru_cache
from pathlib import Path

from loom.agents.slot_index import SlotIndex
from loom.core.clock import wall_ns
from loom.core.errors import ConfigError, StateError
from loom.core.folders import state_folder
from loom.memory.store import NEWER

EVENTS, CALLS = 8192, 1024
NEW, RUNNING, INTERRUPTED, DONE = 'new', 'running', 'interrupted', 'done'
MAGIC, VERSION = b'LoomJrnl', 1
# Magic, version, slots for events and for calls, wall clock of the beginning; then their checksum, and the process.
_FIXED, _CHECKED = struct.Struct('<8sIIIQ'), struct.Struct('<I')
_PROCESS_AT, _HEADER_SIZE = _FIXED.size + _CHECKED.size, 64
# Of a slot: number, key, wall clock of the beginning; then their checksum, how far it is, and what came of it.
_BODY, _EVENT_SIZE, _CALL_SIZE = struct.Struct('<Q16sQ'), 40, 256
_KEY_AT, _KEY_SIZE, _BEGAN_AT, _CHECKSUM_AT, _MARK_AT, _RESULT_AT = 8, 16, 24, 32, 36, 40
_TORN, _BEGUN, _ENDED = 0, 1, 2
_SIZE = _HEADER_SIZE + EVENTS * _EVENT_SIZE + CALLS * _CALL_SIZE

# All of it is in memory from the start: no handler waits for a page, and an agent does not grow while it works.
_RESIDENT = mmap.MAP_SHARED | mmap.MAP_POPULATE


def journal_folder(place: str, robot: str = '') -> Path | None:
    """Where the journals are: a folder, with `auto` the state folder of this user and robot; None where it is empty."""
    if place != 'auto':
        return Path(place).expanduser() if place else None
    return state_folder() / robot.strip('/') / 'journal'


class Damage(Exception):
    """What stands in the file is nothing that a journal writes, not even one that is killed while it writes."""


@lru_cache(1024)
def _salt(scope: str) -> int:
    return int.from_bytes(hashlib.blake2b(scope.encode(), digest_size=16).digest(), 'little') if scope else 0


def key_of(name: str, scope: str = '') -> bytes:
    """128 bits for the id of an event or call; the same id in another scope is something else."""
    try:
        bits = bytes.fromhex(name) if len(name) == 32 else b''
    except ValueError:
        bits = b''
    number = int.from_bytes(bits, 'little') if len(bits) == 16 else _salt(f'id {name}')
    return (number ^ _salt(scope)).to_bytes(16, 'little')


class Ring:
    """The newest things that were begun, how far each is, and what came of it where that is short."""

    def __init__(self, memory: mmap.mmap, start: int, size: int, slot_size: int, began_ns: int) -> None:
        self._memory, self._start, self._size, self._slot_size = memory, start, size, slot_size

        def key(slot: int) -> bytes:
            place = start + slot * slot_size + _KEY_AT
            return memory[place:place + _KEY_SIZE]
        # A method would tie ring and index together, and the file would stay locked until both are collected.
        self._key, self._index = key, SlotIndex(size, key)
        # Before this time by the wall clock, something may have been begun that is not noted any more.
        self.horizon_ns = began_ns
        self._last = self._inherited = self._load()

    def state(self, key: bytes) -> str:
        """New, running in this process, interrupted by the end of the one before, or done."""
        slot = self._index.find(key)
        if slot is None:
            return NEW
        if self._memory[self._place(slot) + _MARK_AT] == _ENDED:
            return DONE
        return RUNNING if self._number(slot) > self._inherited else INTERRUPTED

    def begin(self, key: bytes) -> None:
        """Notes that work on it begins; the oldest note makes room."""
        self._last = number = self._last + 1
        slot = (number - 1) % self._size
        memory, place = self._memory, self._place(slot)
        if number > self._size:
            oldest = self._key(slot)
            if self._index.find(oldest) == slot:
                self._index.take_out(oldest)
                self.horizon_ns = int.from_bytes(memory[place + _BEGAN_AT:place + _CHECKSUM_AT], 'little')
        body = _BODY.pack(number, key, wall_ns())
        # Whoever is killed in between leaves a slot without a mark: what it was to say has not begun.
        memory[place + _MARK_AT] = _TORN
        memory[place:place + _MARK_AT] = body + _CHECKED.pack(zlib.crc32(body))
        if self._slot_size > _RESULT_AT:
            memory[place + _RESULT_AT:place + _RESULT_AT + _CHECKED.size] = bytes(_CHECKED.size)
        memory[place + _MARK_AT] = _BEGUN
        self._index.put(key, slot)

    def end(self, key: bytes, result: bytes = b'') -> None:
        """Notes that the work on it is done; a result for which there is no room is forgotten."""
        slot = self._index.find(key)
        if slot is None:
            return
        place = self._place(slot)
        if result and len(result) <= self._slot_size - _RESULT_AT - _CHECKED.size:
            kept = _CHECKED.pack(len(result)) + result
            self._memory[place + _RESULT_AT:place + _RESULT_AT + len(kept)] = kept
        self._memory[place + _MARK_AT] = _ENDED

    def result(self, key: bytes) -> bytes:
        """What came of something that is done; empty where that was forgotten."""
        slot = self._index.find(key)
        if slot is None or self._slot_size == _RESULT_AT or self._memory[self._place(slot) + _MARK_AT] != _ENDED:
            return b''
        start = self._place(slot) + _RESULT_AT
        size = _CHECKED.unpack_from(self._memory, start)[0]
        return self._memory[start + _CHECKED.size:start + min(_CHECKED.size + size, self._slot_size - _RESULT_AT)]

    def close(self) -> None:
        """What was begun is noted no further: a handler that hung ends when another process may have the file."""
        self._index.clear()

    def _place(self, slot: int) -> int:
        return self._start + slot * self._slot_size

    def _number(self, slot: int) -> int:
        place = self._place(slot)
        return int.from_bytes(self._memory[place:place + _KEY_AT], 'little')

    def _load(self) -> int:
        """The number of the newest note; Damage where a slot can't be what was written there."""
        began: dict[int, int] = {}
        torn, blank = 0, bytes(_RESULT_AT)
        for slot in range(self._size):
            place = self._place(slot)
            note = self._memory[place:place + _RESULT_AT]
            if note == blank:
                break
            if note[_MARK_AT] == _TORN:
                torn += 1
                continue
            number, key, began_ns = _BODY.unpack_from(note)
            if (zlib.crc32(note[:_CHECKSUM_AT]) != _CHECKED.unpack_from(note, _CHECKSUM_AT)[0]
                    or (number - 1) % self._size != slot or note[_MARK_AT] > _ENDED):
                raise Damage(f'the note at byte {place} is not what was written')
            began[number] = began_ns
            known = self._index.find(key)
            if known is None or number > self._number(known):
                self._index.put(key, slot)
        if torn > 1:
            raise Damage(f'{torn} notes are torn, a kill tears one')
        last = max(began, default=0)
        if last > self._size:
            self.horizon_ns = min(began.values())
        return last


class Journal:
    """What one agent began: `events` and `calls`. Without a file, only as long as this process lives.

    `notice` is what the user should know, like a damage. ConfigError where another process has the file, StateError
    401 where a newer Loom wrote it.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.notice = ''
        self._file = -1
        self._memory: mmap.mmap | None = None
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                self._lock(path)
                self._memory, self.events, self.calls = self._opened(path)
                return
            except OSError as error:
                self.close()
                self.notice = (f'{path} can\'t be written: {error.strerror}; what was begun is not known any more '
                               'when this process ends')
            except BaseException:
                self.close()
                raise
        self._memory, self.events, self.calls = _afresh(mmap.mmap(-1, _SIZE, _RESIDENT))

    def close(self) -> None:
        """Lets go of the file."""
        if self._memory is not None:
            self.events.close()
            self.calls.close()
            self._memory.close()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _lock(self, path: Path) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            process = _CHECKED.unpack((os.pread(self._file, _CHECKED.size, _PROCESS_AT) + bytes(4))[:4])[0]
            raise ConfigError(f'an agent named {path.stem!r} runs already: process {process} has its journal {path}; '
                              'end that one, or give this one another name or folder') from None

    def _opened(self, path: Path) -> tuple[mmap.mmap, Ring, Ring]:
        head = os.pread(self._file, _HEADER_SIZE, 0)
        try:
            began_ns = _began_ns(head, path)
            if os.fstat(self._file).st_size != _SIZE:
                raise Damage(f'it must have {_SIZE} bytes and has {os.fstat(self._file).st_size}')
            memory = mmap.mmap(self._file, _SIZE, _RESIDENT)
            events, calls = _rings(memory, began_ns)
        except Damage as damage:
            if head.strip(b'\0'):
                self.notice = (f'{path} is damaged and starts afresh: {damage}; what was done before may be done '
                               'once more')
            os.ftruncate(self._file, 0)
            # A full disk says so here, and not by a signal in the middle of the work.
            os.posix_fallocate(self._file, 0, _SIZE)
            memory, events, calls = _afresh(mmap.mmap(self._file, _SIZE, _RESIDENT))
        memory[_PROCESS_AT:_PROCESS_AT + _CHECKED.size] = _CHECKED.pack(os.getpid())
        return memory, events, calls


def _began_ns(head: bytes, path: Path) -> int:
    if len(head) < _HEADER_SIZE:
        raise Damage('it has no header')
    magic, version, events, calls, began_ns = _FIXED.unpack_from(head)
    if magic == MAGIC and version > VERSION:
        raise StateError(f'{path} must have at most version {VERSION}, got {version}: a newer Loom wrote it; update '
                         'this one or remove the file', NEWER)
    if ((magic, version, events, calls) != (MAGIC, VERSION, EVENTS, CALLS)
            or _CHECKED.unpack_from(head, _FIXED.size)[0] != zlib.crc32(head[:_FIXED.size])):
        raise Damage('its header is not what was written')
    return int(began_ns)


def _afresh(memory: mmap.mmap) -> tuple[mmap.mmap, Ring, Ring]:
    fixed = _FIXED.pack(MAGIC, VERSION, EVENTS, CALLS, began_ns := wall_ns())
    rings = _rings(memory, began_ns)
    memory[:_PROCESS_AT] = fixed + _CHECKED.pack(zlib.crc32(fixed))
    return memory, *rings


def _rings(memory: mmap.mmap, began_ns: int) -> tuple[Ring, Ring]:
    return (Ring(memory, _HEADER_SIZE, EVENTS, _EVENT_SIZE, began_ns),
            Ring(memory, _HEADER_SIZE + EVENTS * _EVENT_SIZE, CALLS, _CALL_SIZE, began_ns))
