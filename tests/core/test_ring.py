"""The ring in shared memory: what is read is what was written, whoever dies, and nothing foreign is believed."""

from __future__ import annotations

import fcntl
import gc
import os
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.core.errors import PayloadError
from loom.core.ring import MAGIC, NAME, SEALS, Place, RingReader, RingWriter

PAGE = os.sysconf('SC_PAGESIZE')

def put(ring: RingWriter, data: bytes) -> Place:
    place = ring.reserve(len(data))
    assert place is not None
    ring.fill(place, memoryview(data))
    return place


def reader_of(ring: RingWriter) -> RingReader:
    return RingReader(os.getpid(), ring.descriptor, ring.id)


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


@given(payloads=st.lists(st.binary(max_size=PAGE), min_size=1, max_size=12), slots=st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_what_is_read_is_what_was_written(payloads: list[bytes], slots: int) -> None:
    writer = RingWriter(slots, PAGE)
    reader = reader_of(writer)
    places = [put(writer, payload) for payload in payloads]
    for number, (place, payload) in enumerate(zip(places, payloads)):
        found = reader.read(place, len(payload))
        if number < len(payloads) - slots:
            assert found is None
        else:
            assert found is not None and bytes(found) == payload and found.readonly
        del found
    assert reader.late == max(0, len(payloads) - slots)
    assert len(set(places)) == len(places), 'a place came twice'
    reader.close()
    writer.close()


def test_what_is_held_is_not_written_over(ring: RingWriter) -> None:
    reader = reader_of(ring)
    places = [put(ring, bytes([n]) * 100) for n in range(3)]
    views = [reader.read(place, 100) for place in places]
    assert ring.reserve(1) is None
    # A view of a view of a view, as a handler may keep it.
    kept = np.asarray(memoryview(views[1] or b'')[10:20])[5:]
    again = reader.read(places[1], 100)
    del views, again
    for _ in range(6):
        put(ring, b'new' * 30)
    assert kept.tolist() == [1] * 5 and reader.read(places[0], 100) is None
    del kept
    assert {put(ring, b'').slot for _ in range(3)} == {0, 1, 2}


def test_leases_end_on_other_threads_too(ring: RingWriter) -> None:
    reader = reader_of(ring)
    box = [reader.read(put(ring, b'abc'), 3) for _ in range(3)]
    assert ring.reserve(1) is None
    thread = threading.Thread(target=box.clear)
    thread.start()
    thread.join()
    assert ring.reserve(1) is not None


def test_readers_wait_for_what_is_being_written(ring: RingWriter) -> None:
    reader = reader_of(ring)
    place = ring.reserve(5)
    assert place is not None and reader.read(place, 5) is None and reader.late == 1, 'a writer that stands still'
    found: list[bytes] = []
    begun = threading.Event()

    def read() -> None:
        begun.set()
        found.append(bytes(reader.read(place, 5) or b''))
    thread = threading.Thread(target=read)
    thread.start()
    begun.wait()
    ring.fill(place, memoryview(b'whole'))
    thread.join()
    assert found == [b'whole']


def test_what_was_read_outlives_the_rings() -> None:
    before = rings_held()
    writer = RingWriter(2, PAGE)
    reader = reader_of(writer)
    data = reader.read(put(writer, b'stays'), 5)
    writer.close()
    reader.close()
    assert data == b'stays'
    del data, reader, writer
    assert rings_held() == before


@pytest.mark.parametrize(('slot', 'generation', 'size'), [
    (3, 2, 1), (-1, 2, 1), (0, 1, 1), (0, 0, 1), (0, 2, PAGE + 1), (0, 2, -1), (2**32 - 1, 2, 1)])
def test_places_that_can_not_be(ring: RingWriter, slot: int, generation: int, size: int) -> None:
    with pytest.raises(PayloadError, match=r'a handle must name one of 3 slots'):
        reader_of(ring).read(Place(slot, generation), size)


def test_a_payload_must_fit(ring: RingWriter) -> None:
    with pytest.raises(PayloadError, match=f'must fit a slot of {PAGE} bytes, it has {PAGE + 1}'):
        ring.reserve(PAGE + 1)


def test_readers_can_not_write(ring: RingWriter) -> None:
    reader = reader_of(ring)
    data = reader.read(put(ring, b'abc'), 3)
    assert data is not None
    with pytest.raises(TypeError):
        data[0] = 1
    with pytest.raises(PermissionError):
        os.pwrite(ring.descriptor, b'x', 0)
    with pytest.raises(PermissionError):
        os.ftruncate(ring.descriptor, 0)


# --- what is not a ring -----------------------------------------------------------------------


def forged(name: str = NAME, seals: int = SEALS, size: int | None = None, checksum: int | None = None,
           magic: bytes = MAGIC, version: int = 1, slots: int = 2, slot_bytes: int = PAGE, ring_id: int = 7) -> int:
    header = struct.pack('<8sIIQQ', magic, version, slots, slot_bytes, ring_id)
    descriptor = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.pwrite(descriptor, header + struct.pack('<I', zlib.crc32(header) if checksum is None else checksum), 0)
    os.ftruncate(descriptor, 4096 + 2 * PAGE if size is None else size)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor


@pytest.mark.parametrize(('changes', 'reason'), [
    ({'name': 'other'}, 'must be a memory file named'),
    ({'seals': fcntl.F_SEAL_GROW}, 'must have the seals'),
    ({'seals': SEALS & ~fcntl.F_SEAL_SHRINK}, 'must have the seals'),
    ({'magic': b'LOOMSING'}, 'must be b.LOOMRING. version 1'),
    ({'version': 2}, 'must be b.LOOMRING. version 1'),
    ({'checksum': 1}, 'checksum'),
    ({'ring_id': 8}, 'its writer began anew'),
    ({'slots': 0}, 'slots of'), ({'slots': 2**32 - 1}, 'slots of'), ({'slots': 3}, 'slots of'),
    ({'slot_bytes': 0}, 'slots of'), ({'slot_bytes': 2**63}, 'slots of'), ({'slot_bytes': PAGE // 2}, 'slots of'),
    ({'slots': 1, 'slot_bytes': 1 << 27, 'size': 4096 + (1 << 27)}, 'slots of'),
    ({'size': 4096}, 'slots of'), ({'size': 1 << 30}, 'slots of'), ({'size': 0}, 'begin with a header'),
    ({'size': 10}, 'begin with a header')])
def test_forged_rings_are_refused(changes: dict[str, Any], reason: str) -> None:
    descriptor, before = forged(**changes), rings_held()
    try:
        with pytest.raises(PayloadError, match=reason):
            RingReader(os.getpid(), descriptor, 7)
        assert rings_held() == before, 'a refused ring was kept'
    finally:
        os.close(descriptor)


def test_a_forged_ring_can_pass() -> None:
    descriptor = forged()
    RingReader(os.getpid(), descriptor, 7).close()
    os.close(descriptor)


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_noise_is_no_ring(noise: bytes) -> None:
    descriptor = os.memfd_create(NAME, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.pwrite(descriptor, noise, 0)
    os.ftruncate(descriptor, 4096 + 2 * PAGE)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, SEALS)
    with pytest.raises(PayloadError):
        RingReader(os.getpid(), descriptor, 7)
    os.close(descriptor)


def test_other_files_are_not_even_opened(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b'x')
    pipe, other_end = os.pipe()
    descriptors = [pipe, other_end, os.open(tmp_path / NAME, os.O_RDWR), os.open('/dev/null', os.O_RDWR)]
    for descriptor in descriptors:
        with pytest.raises(PayloadError, match='must be a memory file'):
            RingReader(os.getpid(), descriptor, 7)
        os.close(descriptor)
    for pid, descriptor in ((os.getpid(), 2**31), (0, 0), (2**32 - 1, 3)):
        with pytest.raises(PayloadError, match='living process'):
            RingReader(pid, descriptor, 7)
