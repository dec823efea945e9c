"""Every store passes one contract; SQLite's also survives kill -9, damage, full disks and read-only folders."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loom.core.errors import ConfigError, StateError
from loom.core.folders import state_folder
from loom.memory.memory import FILE, open_store
from loom.memory.sqlite_store import SqliteStore
from loom.memory.store import Store

Opener = Callable[[], Store]
KEYS = st.sampled_from(['a', 'B', 'ä', 'a b', "o'h", 'z' * 200])
STEPS = st.lists(st.dictionaries(KEYS, st.none() | st.binary(max_size=200), max_size=4), max_size=8)


def test_what_was_put_is_there_after_a_new_start(opener: Opener) -> None:
    store = opener()
    store.put('contract', {'b': b'2', 'a': b'1', 'c': b'\x00\xff'})
    store.put('contract', {'b': b'two', 'c': None, 'never': None})
    store.put('contract', {})
    store = opener()
    assert store.get('contract', ['a', 'b', 'c', 'x']) == {'a': b'1', 'b': b'two'}
    assert (store.keys('contract'), list(store.scan('contract'))) == (['a', 'b'], [('a', b'1'), ('b', b'two')])
    assert (store.get('contract', []), store.keys('other'), list(store.scan('other'))) == ({}, [], [])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_it_is_a_dictionary(opener: Opener, steps: list[dict[str, bytes | None]]) -> None:
    store, model = opener(), {}
    store.put('contract', dict.fromkeys(store.keys('contract')))
    for step in steps:
        store.put('contract', step)
        model = {key: value for key, value in {**model, **step}.items() if value is not None}
    assert dict(store.scan('contract')) == store.get('contract', model) == model
    assert store.keys('contract') == sorted(model, key=str.encode)


def test_long_scans_come_in_pages(opener: Opener) -> None:
    store = opener()
    records = {f'{number:05}': str(number).encode() for number in range(2500)}
    store.put('contract', records)
    assert list(store.scan('contract')) == list(records.items())
    assert store.get('contract', records) == records


WRITER = """
import sys
from pathlib import Path
from loom.memory.sqlite_store import SqliteStore
store, witness = SqliteStore(Path(sys.argv[1])), open(sys.argv[2], 'a')
number = len(store.keys('kept'))
while True:
    store.put('kept', {f'{number:06}': b'x' * 500})
    witness.write(f'{number:06}\\n')
    witness.flush()
    number += 1
"""


def test_kill_9_loses_nothing_acknowledged(program: Callable[..., Any], tmp_path: Path,
                                           until: Callable[..., None]) -> None:
    import sys
    dice, witness = random.Random(7), tmp_path / 'witness'
    witness.touch()
    for _ in range(5):
        enough = witness.stat().st_size + 7 * dice.randrange(20, 200)
        writer = program(command=[sys.executable, '-c', WRITER, str(tmp_path / FILE), str(witness)])
        until(lambda limit=enough: witness.stat().st_size >= limit, 'the writer writes nothing')
        writer.end(signal.SIGKILL)
        store = SqliteStore(tmp_path / FILE)
        lost = set(witness.read_text().split()) - set(store.keys('kept'))
        store.close()
        assert (lost, store.notice) == (set(), '')


def test_a_torn_tail_is_harmless(program: Callable[..., Any], tmp_path: Path, until: Callable[..., None]) -> None:
    import sys
    dice, witness = random.Random(25), tmp_path / 'witness'
    witness.touch()
    writer = program(command=[sys.executable, '-c', WRITER, str(tmp_path / FILE), str(witness)])
    until(lambda: witness.stat().st_size > 7 * 30, 'the writer writes nothing')
    writer.end(signal.SIGKILL)
    acknowledged = witness.read_text().split()
    data, log = (tmp_path / FILE).read_bytes(), (tmp_path / f'{FILE}-wal').read_bytes()
    tails = [os.urandom(size) for size in (1, 23, 24, 500, 5000)] + [log[-size:] for size in (24, 4096, 4120)]
    for number, tail in enumerate([log, *(log + tail for tail in tails), *(
            log[:dice.randrange(len(log))] for _ in range(20))]):
        path = tmp_path / str(number) / FILE
        path.parent.mkdir()
        path.write_bytes(data)
        Path(f'{path}-wal').write_bytes(tail)
        store = SqliteStore(path)
        keys = store.keys('kept')
        assert (store.notice, keys) == ('', [f'{n:06}' for n in range(len(keys))])
        # What follows the log is ignored; where the log itself was cut, what was kept before the cut is there.
        assert number > len(tails) or len(keys) - len(acknowledged) in (0, 1)
        store.put('kept', {'after': b'1'})
        store.close()


def filled(path: Path) -> None:
    store = SqliteStore(path)
    store.put('s', {f'{n}': b'x' * 1000 for n in range(200)})
    store.snapshot()
    store.put('s', {'late': b'1'})
    store.close()


@pytest.mark.parametrize('damage', ['header', 'middle', 'short'])
def test_a_damaged_file_is_replaced_by_the_snapshot_and_that_is_said(tmp_path: Path, damage: str) -> None:
    path = tmp_path / FILE
    filled(path)
    content = bytearray(path.read_bytes())
    where = {'header': slice(0, 100), 'middle': slice(4096, 5 * 4096), 'short': slice(len(content) // 2, None)}[damage]
    content[where] = b'' if damage == 'short' else os.urandom(len(content[where]))
    path.write_bytes(content)
    store = SqliteStore(path)
    assert 'was damaged' in store.notice and 'last good snapshot is used' in store.notice
    assert len(store.keys('s')) == 200 and store.get('s', ['late']) == {}
    store.put('s', {'new': b'1'})
    store.close()
    assert (tmp_path / f'{FILE}.damaged').is_file()
    again = SqliteStore(path)
    assert (again.notice, len(again.keys('s'))) == ('', 201)
    again.close()


def test_a_damaged_snapshot_gives_way_to_the_older_one_and_then_to_nothing(tmp_path: Path) -> None:
    path = tmp_path / FILE
    store = SqliteStore(path)
    for number in range(2):
        store.put('s', {str(number): b'1'})
        store.snapshot()
    store.close()
    for name in (FILE, f'{FILE}.snapshot'):
        (tmp_path / name).write_bytes(b'garbage' * 1000)
    store = SqliteStore(path)
    assert store.keys('s') == ['0']
    store.close()
    for name in (FILE, f'{FILE}.snapshot', f'{FILE}.snapshot.old'):
        (tmp_path / name).write_bytes(b'garbage' * 1000)
    store = SqliteStore(path)
    assert 'there is no good snapshot' in store.notice and store.keys('s') == []
    store.close()


def test_a_snapshot_is_made_only_when_something_changed(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / FILE)
    store.put('s', {'a': b'1'})
    store.snapshot()
    stamp = (tmp_path / f'{FILE}.snapshot').stat().st_mtime_ns
    store.snapshot()
    assert (tmp_path / f'{FILE}.snapshot').stat().st_mtime_ns == stamp
    assert not (tmp_path / f'{FILE}.snapshot.old').exists()
    store.close()


def test_a_newer_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    filled(tmp_path / FILE)
    connection = sqlite3.connect(tmp_path / FILE)
    connection.execute('PRAGMA user_version = 99')
    connection.close()
    with pytest.raises(StateError, match='at most version 1, got 99: a newer Loom wrote it') as refused:
        SqliteStore(tmp_path / FILE)
    assert refused.value.code == 401 and not (tmp_path / f'{FILE}.damaged').exists()


def test_one_owner_at_a_time(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / FILE)
    with pytest.raises(StateError, match='another process has it') as refused:
        SqliteStore(tmp_path / FILE)
    assert refused.value.code == 403
    store.close()
    SqliteStore(tmp_path / FILE).close()


def test_a_folder_that_cannot_be_made_gives_a_memory_that_ends_with_the_process(tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    store, folder = open_store(str(tmp_path / 'file' / 'below'))
    assert folder is None and 'is lost when this process ends' in store.notice
    store.put('s', {'a': b'1'})
    assert store.get('s', ['a']) == {'a': b'1'}
    store.snapshot()
    store.close()


def test_a_full_disk_is_said_and_nothing_is_half_kept(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / FILE)
    store.put('s', {'a': b'1'})
    store._connection.execute('PRAGMA max_page_count = 20')
    with pytest.raises(StateError, match='nothing was kept.*full') as refused:
        store.put('s', {'a': b'2', 'b': b'x' * 200_000})
    assert refused.value.code == 404
    assert dict(store.scan('s')) == {'a': b'1'}
    store.close()


def test_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv('XDG_STATE_HOME', str(tmp_path))
    assert state_folder() == tmp_path / 'loom'
    monkeypatch.delenv('XDG_STATE_HOME')
    assert state_folder() == Path.home() / '.local' / 'state' / 'loom'
    with pytest.raises(ConfigError, match='a store must be a folder'):
        open_store('mysql://x')
