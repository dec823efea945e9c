"""The state file keeps one whole record, whatever ends the writer, and says what is wrong with it."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from loom.core.errors import SimulationError
from loom.sim.state_file import MAX_RECORD, StateFile

KIND = bytes(range(32))
Until = Callable[..., None]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'new' / 'state'


def written(path: Path, *records: bytes) -> StateFile:
    file = StateFile(path)
    file.renew(KIND)
    for record in records:
        file.write(record)
    return file


def test_the_newest_record_is_read(path: Path) -> None:
    first = StateFile(path)
    assert (first.fingerprint, first.newest, first.damage) == (b'', b'', '')
    written(path, b'one', b'two', b'three').close()
    again = StateFile(path)
    assert (again.fingerprint, again.newest, again.damage) == (KIND, b'three', '')
    again.write(b'four')
    assert StateFile(path).newest == b'four'


def test_it_begins_again(path: Path) -> None:
    written(path, b'one', b'two').renew(KIND[::-1])
    again = StateFile(path)
    assert (again.fingerprint, again.newest, again.damage) == (KIND[::-1], b'', '')


def test_every_torn_record_leaves_the_one_before(path: Path) -> None:
    written(path, b'older' * 20, b'newer' * 20).close()
    whole = path.read_bytes()
    last = whole.index(b'newer')
    for place in range(last - 16, last + 100):
        torn = bytearray(whole)
        torn[place] ^= 0x5a
        path.write_bytes(torn)
        assert StateFile(path).newest == b'older' * 20, place
    for end in range(last - 15, last + 100):
        cut = whole[:last - 16] + whole[last - 16:end] + bytes(last + 100 - end) + whole[last + 100:]
        path.write_bytes(cut)
        assert StateFile(path).newest == b'older' * 20, end


def test_damage_is_said(path: Path) -> None:
    written(path, b'one', b'two').close()
    data = bytearray(path.read_bytes())
    for record in (b'one', b'two'):
        data[data.index(record)] ^= 1
    path.write_bytes(data)
    both = StateFile(path)
    assert both.newest == b''
    assert 'must have a whole record, got two that are damaged' in both.damage
    path.write_bytes(b'hello, world ' * 10)
    assert 'must be a state file, got something else' in StateFile(path).damage


def test_what_can_not_be_kept_is_refused(path: Path, tmp_path: Path) -> None:
    file = written(path, b'one')
    with pytest.raises(SimulationError, match=f'a state must have at most {MAX_RECORD} bytes'):
        file.write(bytes(MAX_RECORD + 1))
    file.write(bytes(MAX_RECORD))
    file.discard()
    assert StateFile(path).newest == b''
    nowhere = StateFile(tmp_path)
    with pytest.raises(SimulationError, match='must be one that can be written, got .*directory'):
        nowhere.write(b'one')
    full = StateFile(Path('/dev/full'))
    with pytest.raises(SimulationError, match='No space left'):
        full.renew(KIND)
    file.close()
    with pytest.raises(SimulationError, match='the state file is closed'):
        file.write(b'one')


def test_a_killed_writer_leaves_what_it_said_was_written(path: Path) -> None:
    """The writer tells the number of each record after it wrote it; the file has that one or the next."""
    dice = random.Random(5)
    written(path).close()
    for _ in range(30):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            file, number = StateFile(path), 0
            while True:
                number += 1
                file.write(number.to_bytes(8, 'little') * 1000)
                os.write(writer, number.to_bytes(8, 'little'))
        os.close(writer)
        told = b''
        for _ in range(dice.randint(1, 40)):
            told = os.read(reader, 8) or told
        os.kill(child, signal.SIGKILL)
        while rest := os.read(reader, 8):
            told = rest
        os.waitpid(child, 0)
        os.close(reader)
        newest = StateFile(path).newest
        number = int.from_bytes(newest[:8], 'little')
        assert newest == newest[:8] * 1000
        assert number - int.from_bytes(told, 'little') in (0, 1)
