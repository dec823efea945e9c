"""A ring of large payloads in shared memory: one process writes, others read in place, by handle.

The ring lies in an anonymous memory file (memfd) of its writer, sealed so that nobody can resize it, and nobody but
the writer can write to it. It has no name: the kernel frees it when the last process that maps it is gone, however
that ends. Readers reach it as /proc/<pid>/fd/<descriptor> and believe nothing that they have not checked.

Who reads a slot holds a lock on it, the lease, until the last view on the payload is gone; the writer locks a slot
while it writes, and takes another one where it can't. The locks are the kernel's: they end with their process, and they
order memory between processors. A slot's generation is odd while the slot is being written and never comes twice: a
reader that finds the generation of its handle, once it holds the lease, has the payload; else it came too late.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import secrets
import stat
import struct
import threading
import time
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from loom.core.errors import PayloadError

MAX_BYTES = 64 << 20
MAX_SLOTS = 32
# A writer that is stopped in the middle of a payload stops no reader for longer.
WRITE_S, POLL_S = 0.1, 2e-5
MAGIC, VERSION = b'LOOMRING', 1
NAME = 'loom_ring'
# Later writable mappings are refused as well; Python has no name for it.
F_SEAL_FUTURE_WRITE = 0x0010
SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL | F_SEAL_FUTURE_WRITE
_HEADER = struct.Struct('<8sIIQQ')
_CHECKSUM = struct.Struct('<I')
_FLOCK = struct.Struct('hh4xqqi4x')
# One generation per cache line, so that slots do not disturb each other.
_GENERATIONS, _LINE = 128, 64
_DATA = 4096


class Place(NamedTuple):
    """Where a payload lies: the slot, and the slot's generation while it is there."""

    slot: int
    generation: int


class RingWriter:
    """A new ring of `slots` payloads of up to `slot_bytes` each; OSError where there is no memory for it."""

    def __init__(self, slots: int, slot_bytes: int) -> None:
        self.id = secrets.randbits(64) or 1
        self.slots, self.slot_bytes = slots, -(-max(slot_bytes, 1) // mmap.PAGESIZE) * mmap.PAGESIZE
        size = _DATA + self.slots * self.slot_bytes
        self.descriptor = os.memfd_create(NAME, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            # A page that can't be had must fail here and not, by a signal, in the middle of a write.
            os.posix_fallocate(self.descriptor, 0, size)
            self._memory = _mapped(self.descriptor, size, mmap.PROT_READ | mmap.PROT_WRITE)
            header = _HEADER.pack(MAGIC, VERSION, slots, self.slot_bytes, self.id)
            self._memory[:len(header) + _CHECKSUM.size] = header + _CHECKSUM.pack(zlib.crc32(header))
            fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, SEALS)
        except OSError:
            os.close(self.descriptor)
            raise
        self._view = memoryview(self._memory)
        self._generations = self._view[:_DATA].cast('Q')
        self._next, self._generation = 0, 0

    def reserve(self, size: int) -> Place | None:
        """A slot that nobody reads, for a payload that `fill` will put there; None where there is none.

        Its handle may be sent at once: readers wait until the payload is there. PayloadError where it is larger than a
        slot.
        """
        if size > self.slot_bytes:
            raise PayloadError(f'a payload must fit a slot of {self.slot_bytes} bytes, it has {size}')
        for step in range(self.slots):
            # The one that was written longest ago comes first.
            slot = (self._next + step) % self.slots
            if _lock(self.descriptor, fcntl.F_WRLCK, slot):
                self._next = slot + 1
                self._generation += 2
                self._generations[_line(slot)] = self._generation - 1
                return Place(slot, self._generation)
        return None

    def fill(self, place: Place, payload: memoryview) -> None:
        """Copies a payload, a memoryview of bytes, to where it was announced."""
        start = _start(place.slot, self.slot_bytes)
        self._view[start:start + payload.nbytes] = payload
        self._generations[_line(place.slot)] = place.generation
        _lock(self.descriptor, fcntl.F_UNLCK, place.slot)

    def close(self) -> None:
        """Lets go of the ring; readers that have it open can still read it."""
        self._generations.release()
        self._view.release()
        self._memory.close()
        os.close(self.descriptor)

    def _locked(self) -> int | None:
        """The slot that was written longest ago, of those that nobody reads."""
        slots = ((self._next + step) % self.slots for step in range(self.slots))
        return next((slot for slot in slots if _lock(self.descriptor, fcntl.F_WRLCK, slot)), None)


class RingReader:
    """The ring of another process, or of this one; PayloadError where it can't be reached or is not what it should be.

    `late` counts payloads whose slot was written again before they were read; they are never given out.
    """

    def __init__(self, pid: int, descriptor: int, ring_id: int, max_bytes: int = MAX_BYTES) -> None:
        self.late = 0
        with _opened(pid, descriptor) as opened:
            self.slots, self.slot_bytes = _geometry(opened, ring_id, max_bytes)
            self._memory = _mapped(opened, _DATA + self.slots * self.slot_bytes, mmap.PROT_READ)
            self._descriptor = os.dup(opened)
        self._generations = memoryview(self._memory)[:_DATA].cast('Q')
        self._leases: dict[int, weakref.ref[Any]] = {}
        self._closed = False
        # Leases end on any thread, and in the middle of everything.
        self._gate = threading.RLock()

    def read(self, place: Place, size: int) -> memoryview | None:
        """The `size` bytes at a place, or None where it came too late; PayloadError where there is no such place.

        Waits while they are being written, WRITE_S seconds at most.
        They are read-only and stay as they are until the last view on them is gone.
        """
        slot, generation = place
        if not 0 <= slot < self.slots or not 0 <= size <= self.slot_bytes or generation % 2 or not generation:
            raise PayloadError(f'a handle must name one of {self.slots} slots of {self.slot_bytes} bytes at an even '
                               f'generation, it names slot {slot}, {size} bytes, generation {generation}')
        with self._gate:
            leased = self._leased(place)
            if leased is None or self._generations[_line(slot)] != generation:
                self.late += 1
                return None
            return memoryview(leased)[:size]

    def close(self) -> None:
        """Lets go of the ring; what was read from it stays valid."""
        with self._gate:
            self._closed = True
            self._release()

    def _leased(self, place: Place) -> Any:
        """The bytes of a slot, locked for as long as any view on them lives; None where it is being written anew."""
        slot = place.slot
        known = self._leases.get(slot)
        if known is not None and (alive := known()) is not None:
            return alive
        # A memoryview can't tell when the last of the views made from it dies. This array can: they all keep it.
        leased = np.frombuffer(self._memory, np.uint8, self.slot_bytes, _start(slot, self.slot_bytes))
        self._leases[slot] = weakref.ref(leased, partial(self._ended, slot))
        give_up = 0.0
        while not _lock(self._descriptor, fcntl.F_RDLCK, slot):
            now = time.monotonic()
            give_up = give_up or now + WRITE_S
            if self._generations[_line(slot)] not in (place.generation - 1, place.generation) or now > give_up:
                return None
            time.sleep(POLL_S)
        return leased

    def _ended(self, slot: int, lease: weakref.ref[Any]) -> None:
        with self._gate:
            # The slot may be leased again already.
            if self._leases.get(slot) is lease:
                del self._leases[slot]
                _lock(self._descriptor, fcntl.F_UNLCK, slot)
                self._release()

    def _release(self) -> None:
        if self._closed and not self._leases and self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


@contextmanager
def _opened(pid: int, descriptor: int) -> Iterator[int]:
    path = f'/proc/{pid}/fd/{descriptor}'
    try:
        # Opening a device or a pipe could have effects: the name is looked at first.
        target = os.readlink(path)
        if not target.startswith(f'/memfd:{NAME}'):
            raise PayloadError(f'a ring must be a memory file named {NAME}, {path} is {target!r}')
        opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        raise PayloadError(f'a ring must belong to a living process of this host and user: {error}') from None
    try:
        yield opened
    except (OSError, ValueError) as error:
        raise PayloadError(f'{path} can not be used as a ring: {error}') from None
    finally:
        os.close(opened)


def _geometry(opened: int, ring_id: int, max_bytes: int) -> tuple[int, int]:
    """Slots and bytes of each of an opened file that is fully checked to be that ring."""
    status = os.fstat(opened)
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
        raise PayloadError(f'a ring must be a file of user {os.geteuid()}, it is of {status.st_uid}')
    if (seals := fcntl.fcntl(opened, fcntl.F_GET_SEALS)) & SEALS != SEALS:
        raise PayloadError(f'a ring must have the seals {SEALS:#x}, it has {seals:#x}')
    header = os.pread(opened, _HEADER.size + _CHECKSUM.size, 0)
    if len(header) < _HEADER.size + _CHECKSUM.size:
        raise PayloadError(f'a ring must begin with a header, it has {status.st_size} bytes')
    magic, version, slots, slot_bytes, found_id = _HEADER.unpack_from(header)
    if (magic, version) != (MAGIC, VERSION):
        raise PayloadError(f'a ring must be {MAGIC!r} version {VERSION}, it is {magic!r} version {version}')
    if _CHECKSUM.unpack_from(header, _HEADER.size)[0] != zlib.crc32(header[:_HEADER.size]):
        raise PayloadError('the checksum of a ring must fit its header')
    if found_id != ring_id:
        raise PayloadError(f'the ring must be {ring_id:x}, there is {found_id:x} in its place: its writer began anew')
    if not 1 <= slots <= MAX_SLOTS or not 1 <= slot_bytes <= max_bytes or slot_bytes % mmap.PAGESIZE \
            or status.st_size != _DATA + slots * slot_bytes:
        raise PayloadError(f'a ring must have up to {MAX_SLOTS} slots of up to {max_bytes} bytes that fill it, it has '
                           f'{slots} of {slot_bytes} in {status.st_size} bytes')
    return slots, slot_bytes


def _mapped(descriptor: int, size: int, protection: int) -> mmap.mmap:
    # Without MAP_POPULATE the first touch of each page costs more than copying it.
    return mmap.mmap(descriptor, size, mmap.MAP_SHARED | mmap.MAP_POPULATE, protection)


def _lock(descriptor: int, kind: int, slot: int) -> bool:
    """Locks or unlocks a slot without waiting; false where another has it."""
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _FLOCK.pack(kind, os.SEEK_SET, slot, 1, 0))
    except OSError:
        return False
    return True


def _start(slot: int, slot_bytes: int) -> int:
    """Where a slot begins in the file."""
    return _DATA + slot * slot_bytes


def _line(slot: int) -> int:
    """Which of the 64-bit words of the file is the generation of a slot."""
    return (_GENERATIONS + slot * _LINE) // 8
