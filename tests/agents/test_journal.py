"""The journal: what it says survives a kill at any moment; damage is said; one process has it."""

from __future__ import annotations

import os
import random
import signal
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.agents import journal
from loom.agents.journal import DONE, INTERRUPTED, NEW, RUNNING, Journal, Ring, key_of
from loom.core.errors import ConfigError, StateError
from loom.core.event import new_id

KILLS = 30


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'journals' / 'guard.journal'


def child(work: Callable[[], None]) -> int:
    """A process that does this and nothing else."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    return pid


def test_what_was_begun_and_done_is_known_to_the_next(path: Path) -> None:
    done, begun, fresh = (key_of(new_id()) for _ in range(3))
    first = Journal(path)
    for key in (done, begun):
        assert first.events.state(key) == NEW
        first.events.begin(key)
        assert first.events.state(key) == RUNNING
    first.events.end(done)
    first.events.end(fresh)
    first.close()
    second = Journal(path)
    assert not second.notice
    assert [second.events.state(key) for key in (done, begun, fresh)] == [DONE, INTERRUPTED, NEW]
    second.events.begin(begun)
    assert second.events.state(begun) == RUNNING
    second.events.end(begun)
    second.close()
    assert Journal(path).events.state(begun) == DONE


def test_an_id_is_a_key_of_its_scope() -> None:
    name = '0' + new_id()[1:]
    keys = {key_of(name), key_of(name, 'a.b'), key_of(name, 'a.*'), key_of('my call'), key_of('my call', 'a.b'),
            key_of('x' * 32), key_of('-' + name[1:]), key_of(' ' * 2 + name[2:]), key_of('é' * 64)}
    assert len(keys) == 9 and {len(key) for key in keys} == {16}


def test_a_short_result_is_kept_with_a_call_and_a_long_one_forgotten(path: Path) -> None:
    short, long, none = (key_of(new_id()) for _ in range(3))
    first = Journal(path)
    for key, result in ((short, b'{"result":1}'), (long, b'x' * 1000), (none, b'')):
        first.calls.begin(key)
        assert first.calls.result(key) == b''
        first.calls.end(key, result)
    first.close()
    second = Journal(path)
    assert [second.calls.result(key) for key in (short, long, none)] == [b'{"result":1}', b'', b'']


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.data())
def test_the_ring_is_a_bounded_dictionary(data: st.DataObject) -> None:
    size, began_ns = 8, time.time_ns()
    memory = journal.mmap.mmap(-1, 8 * 40)
    ring, model = Ring(memory, 0, size, 40, began_ns), dict[int, str]()
    for _ in range(data.draw(st.integers(0, 40))):
        number, step = data.draw(st.integers(0, 11)), data.draw(st.sampled_from(('begin', 'end', 'restart')))
        key = key_of(f'{number:032x}')
        if step == 'restart':
            ring = Ring(memory, 0, size, 40, began_ns)
            model = {number: INTERRUPTED if state == RUNNING else state for number, state in model.items()}
        elif step == 'begin' and ring.state(key) in (NEW, INTERRUPTED):
            ring.begin(key)
            model.pop(number, None)
            model[number] = RUNNING
        elif step == 'end' and number in model:
            ring.end(key)
            model[number] = DONE
        # What began a second time takes a second slot, so that others may leave earlier; never what is newest.
        known = {number: ring.state(key_of(f'{number:032x}')) for number in range(12)}
        assert all(state in (NEW, model.get(number, NEW)) for number, state in known.items())
        assert all(known[number] == model[number] for number in list(model)[-size // 2:])
        assert (ring.horizon_ns == began_ns) or len(model) >= size // 2


def test_whoever_is_killed_while_it_writes_loses_nothing_that_was_done(path: Path) -> None:
    """A witness outside: each id is written to a pipe after its end was noted."""
    for _ in range(KILLS):
        reader, writer = os.pipe()

        def work(writer: int = writer) -> None:
            own = Journal(path)
            assert not own.notice
            while True:
                key = key_of(new_id())
                own.events.begin(key)
                own.events.end(key)
                own.calls.begin(key)
                own.calls.end(key, key)
                os.write(writer, key)
        pid = child(work)
        os.close(writer)
        kept = os.read(reader, 16)
        time.sleep(random.random() * 0.02)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        while more := os.read(reader, 1 << 16):
            kept += more
        os.close(reader)
        after = Journal(path)
        assert not after.notice
        keys = [kept[place:place + 16] for place in range(0, len(kept), 16)]
        for key in keys[-journal.CALLS + 1:]:
            assert after.events.state(key) == after.calls.state(key) == DONE and after.calls.result(key) == key
        after.close()


def test_old_notes_make_room_and_the_horizon_says_how_far_back_it_knows(path: Path) -> None:
    first, began_ns = Journal(path), time.time_ns()
    keys = [key_of(new_id()) for _ in range(journal.CALLS + 10)]
    assert first.calls.horizon_ns <= began_ns
    for key in keys:
        first.calls.begin(key)
        first.calls.end(key)
    assert [first.calls.state(key) for key in keys[:11]] == [NEW] * 10 + [DONE]
    assert began_ns < first.calls.horizon_ns < time.time_ns()
    first.close()
    second = Journal(path)
    assert began_ns < second.calls.horizon_ns < time.time_ns() and second.events.horizon_ns <= began_ns
    assert [second.calls.state(key) for key in keys[:11]] == [NEW] * 10 + [DONE]


@pytest.mark.parametrize(('place', 'data'), [
    (0, b'something else'), (8, struct.pack('<I', 0)), (20, b'\xff'), (64 + 8, b'\x01'), (64 + 36, b'\x07'),
    (1000, None), (-1, b'one byte more'), (64 + 36, b'\0\0\0\0\1' + b'\0' * 36),
])
def test_a_damaged_file_is_said_and_started_afresh(path: Path, place: int, data: bytes | None) -> None:
    keys = [key_of(new_id()) for _ in range(4)]
    first = Journal(path)
    for key in keys:
        first.events.begin(key)
    first.close()
    with path.open('r+b') as file:
        if data is None:
            file.truncate(place)
        else:
            file.seek(place, os.SEEK_END if place < 0 else os.SEEK_SET)
            file.write(data)
    second = Journal(path)
    assert f'{path} is damaged and starts afresh' in second.notice
    assert [second.events.state(key) for key in keys] == [NEW] * 4
    assert second.events.horizon_ns > first.events.horizon_ns
    second.close()
    assert not Journal(path).notice


def test_a_torn_note_is_the_end_of_who_was_killed_and_no_damage(path: Path) -> None:
    first, key = Journal(path), key_of(new_id())
    first.events.begin(key)
    first.close()
    with path.open('r+b') as file:
        file.seek(64 + 40)
        file.write(b'\x02\0\0\0\0torn')
    second = Journal(path)
    assert not second.notice and second.events.state(key) == INTERRUPTED
    second.events.begin(other := key_of(new_id()))
    second.close()
    assert Journal(path).events.state(other) == INTERRUPTED


def test_a_file_of_a_newer_loom_is_refused_and_left_alone(path: Path) -> None:
    Journal(path).close()
    with path.open('r+b') as file:
        file.seek(8)
        file.write(struct.pack('<I', journal.VERSION + 1))
    before = path.read_bytes()
    with pytest.raises(StateError, match=r'guard.journal must have at most version 1, got 2: a newer Loom') as refused:
        Journal(path)
    assert refused.value.code == 401 and path.read_bytes() == before


def test_a_second_process_is_refused_until_the_first_has_died(path: Path) -> None:
    reader, writer = os.pipe()

    def work() -> None:
        own = Journal(path)
        os.write(writer, b'.')
        signal.pause()
        own.close()
    pid = child(work)
    os.read(reader, 1)
    with pytest.raises(ConfigError, match=rf"an agent named 'guard' runs already: process {pid} has its journal"):
        Journal(path)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    Journal(path).close()
    Journal(path).close()


def test_where_nothing_can_be_written_it_lives_as_long_as_the_process(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    own, key = Journal(tmp_path / 'file' / 'guard.journal'), key_of(new_id())
    assert "guard.journal can't be written: " in own.notice and 'is not known any more when this process' in own.notice
    own.events.begin(key)
    assert own.events.state(key) == RUNNING


def test_what_ends_after_it_was_closed_is_left_to_the_next(path: Path) -> None:
    own, key = Journal(path), key_of(new_id())
    own.events.begin(key)
    own.close()
    following = Journal(path)
    own.events.end(key)
    assert following.events.state(key) == INTERRUPTED


def test_beginning_and_ending_cost_microseconds(path: Path) -> None:
    own, keys = Journal(path), [key_of(new_id()) for _ in range(20_000)]
    began_s = time.thread_time()
    for key in keys:
        own.events.begin(key)
        own.events.end(key)
    # About one; the bound tells only whether it waits for the disk.
    assert (time.thread_time() - began_s) / len(keys) < 100e-6


def test_the_folder_is_the_users_unless_it_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv('XDG_STATE_HOME', str(tmp_path))
    assert journal.journal_folder('auto', '/robot') == tmp_path / 'loom' / 'robot' / 'journal'
    assert journal.journal_folder('auto') == tmp_path / 'loom' / 'journal'
    assert journal.journal_folder('') is None and journal.journal_folder('/elsewhere') == Path('/elsewhere')
