"""The ring between processes: no torn payload is given out, and who is killed leaves nothing."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loom.core.errors import PayloadError
from loom.core.ring import NAME, Place, RingReader, RingWriter

TRIALS = 100_000
PAGE = os.sysconf('SC_PAGESIZE')
Until = Callable[..., None]
Start = Callable[..., Any]

WRITER = """
import sys, time
from loom.core.ring import RingWriter
ring = RingWriter(3, 4096)
place = ring.reserve(4096)
ring.fill(place, memoryview(b'x' * 4096))
print(ring.descriptor, ring.id, place.slot, place.generation)
time.sleep(60)
"""
# In the middle of its second payload when it is killed.
HALF_WRITER = WRITER.replace("print(", "half = ring.reserve(4096)\nprint(")
READER = """
import sys, time
from loom.core.ring import Place, RingReader
pid, descriptor, ring_id, *places = map(int, sys.argv[1:])
ring = RingReader(pid, descriptor, ring_id)
held = [ring.read(Place(*places[i:i + 2]), 8) for i in range(0, len(places), 2)]
print('held', all(held))
time.sleep(60)
"""
STORM = """
import numpy as np
from loom.core.ring import RingWriter
ring = RingWriter(3, 65536)
print(ring.descriptor, ring.id)
data = np.empty(65536 // 8, np.uint64)
while True:
    place = ring.reserve(65536)
    if place is not None:
        data[:] = place.generation
        ring.fill(place, memoryview(data).cast('B'))
"""


def put(ring: RingWriter, data: bytes) -> Place:
    place = ring.reserve(len(data))
    assert place is not None
    ring.fill(place, memoryview(data))
    return place


@pytest.fixture
def ring() -> Iterator[RingWriter]:
    writer = RingWriter(3, PAGE)
    yield writer
    writer.close()


def rings_held() -> int:
    """Mappings and descriptors of rings in this process."""
    gc.collect()
    names = [os.readlink(f'/proc/self/fd/{name}') for name in os.listdir('/proc/self/fd')
             if os.path.lexists(f'/proc/self/fd/{name}')]
    return sum(NAME in text for text in (*names, *Path('/proc/self/maps').read_text().splitlines()))


def said(program: Any, until: Until, numbers: int) -> list[int]:
    until(lambda: len(program.text.split()) >= numbers, f'it said {program.text!r}')
    return [int(word) for word in program.text.split()]


def test_no_torn_payload_is_ever_given_out(program: Start, until: Until) -> None:
    writer = program(STORM)
    descriptor, ring_id = said(writer, until, 2)
    reader = RingReader(writer.process.pid, descriptor, ring_id)
    raw = [np.frombuffer(reader._memory, np.uint64, 65536 // 8, 4096 + slot * 65536) for slot in range(3)]
    whole = torn = 0
    for trial in range(TRIALS):
        slot = trial % 3
        # The newest handle of this slot, or the one that is being written.
        generation = reader._generations[(128 + slot * 64) // 8] + 1 & ~1
        first, last = int(raw[slot][0]), int(raw[slot][-1])
        torn += first != last
        data = reader.read(Place(slot, generation), 65536) if generation else None
        if data is not None:
            words = np.frombuffer(data, np.uint64)
            assert words[0] == generation and (words == generation).all(), f'torn: {set(words.tolist())}'
            whole += 1
        del data
    assert whole and reader.late and torn, f'{whole} whole, {reader.late} late, {torn} torn without the ring'


def test_a_killed_writer_leaves_nothing_but_what_is_held(program: Start, until: Until) -> None:
    for code in (WRITER, HALF_WRITER):
        before = rings_held()
        writer = program(code)
        descriptor, ring_id, slot, generation = said(writer, until, 4)
        reader = RingReader(writer.process.pid, descriptor, ring_id)
        data = reader.read(Place(slot, generation), 4096)
        writer.end(signal.SIGKILL)
        assert data == b'x' * 4096
        # What it had announced never came.
        assert reader.read(Place((slot + 1) % 3, generation + 2), 1) is None
        with pytest.raises(PayloadError, match='living process'):
            RingReader(writer.process.pid, descriptor, ring_id)
        reader.close()
        del data, reader
        assert rings_held() == before
    assert not [path for path in Path('/dev/shm').iterdir() if 'loom' in path.name]


def test_the_leases_of_a_killed_reader_end(program: Start, until: Until, ring: RingWriter) -> None:
    places = [put(ring, b'12345678') for _ in range(3)]
    numbers = [os.getpid(), ring.descriptor, ring.id, *(number for place in places for number in place)]
    reader = program(command=[sys.executable, '-c', READER, *map(str, numbers)])
    until(lambda: 'held True' in reader.text, reader.text)
    assert ring.reserve(1) is None
    reader.process.send_signal(signal.SIGSTOP)
    assert ring.reserve(1) is None, 'a stopped reader loses what it holds'
    reader.end(signal.SIGKILL)
    assert ring.reserve(1) is not None
