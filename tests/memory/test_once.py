"""A request that comes again changes nothing, in this life of the server and in the next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from loom.core.clock import NANOSECONDS, ManualClock
from loom.core.errors import StateError
from loom.memory.episode import Query
from loom.memory.episodes import Episodes
from loom.memory.memory import Memory
from loom.memory.once import MOST, Once, is_mark
from loom.memory.sqlite_store import SqliteStore
from loom.memory.state import Snapshot, State
from loom.memory.store import Store
from loom.memory.vectors import Vectors

Opener = Callable[[], Store]
CLOCK = ManualClock(NANOSECONDS)


class Laps(Snapshot):
    laps: int = 0


def test_the_newest_requests_are_known(opener: Opener) -> None:
    once = Once(opener(), 'contract')
    for number in range(MOST + 5):
        once.put({'n': str(number).encode()}, f'r{number}', f'result {number}')
    for one in (once, Once(opener(), 'contract')):
        assert one.result('r4') is None
        assert one.result('r5') == 'result 5'
        assert one.result(f'r{MOST + 4}') == f'result {MOST + 4}'
    store = opener()
    assert store.get('contract', ['n']) == {'n': str(MOST + 4).encode()}
    assert sum(map(is_mark, store.keys('contract'))) == MOST


def test_an_older_value_does_not_come_back(opener: Opener) -> None:
    state = State(opener())
    for again in range(2):
        for number in range(5):
            state.put('ann', 'n', number, request=f'id {number}')
            assert state.get('ann', 'n') == (4 if again else number)
        state = State(opener())
    state.put('bob', 'n', 1, request='id 3')
    state.put('ann', 'n', 7)
    assert (state.all('ann'), state.all('bob')) == ({'n': 7}, {'n': 1})
    with pytest.raises(StateError, match='a key must not begin with'):
        state.put('ann', '\x1fn', 1)


def test_a_typed_value_keeps_its_version() -> None:
    state = State(SqliteStore())
    for _ in range(2):
        state.put('ann', 'laps', Laps(laps=3), request='once')
    assert state.load('ann', 'laps', Laps) == Laps(laps=3)


def test_many_agents_are_known_though_few_are_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('loom.memory.state.MAX_AGENTS', 2)
    state = State(SqliteStore())
    for value in (1, 2):
        for agent in 'abcd':
            state.put(agent, 'n', value, request=f'of {agent}')
    assert [state.get(agent, 'n') for agent in 'abcd'] == [1, 1, 1, 1]


def test_an_episode_is_counted_once(opener: Opener) -> None:
    def record(episodes: Episodes, text: str, request: str) -> str:
        return episodes.record('object', text, CLOCK.now_ns(), (1.0, 2.0), request=request).id
    episodes = Episodes(opener(), CLOCK)
    first = record(episodes, 'ball', 'a')
    assert (record(episodes, 'ball', 'b'), record(episodes, 'box', 'c') == first) == (first, False)
    for again in (episodes, Episodes(opener(), CLOCK)):
        assert [record(again, 'ball', request) for request in 'ab'] == [first, first]
        assert {e.text: e.count for e in again.find(Query())} == {'ball': 2, 'box': 1}
        assert again.counts()['working'] == 2
    again.forget(Query(text='ball'))
    assert record(again, 'ball', 'a') == first
    assert [e.text for e in again.find(Query())] == ['box']


def test_a_vector_with_a_number_is_there_once(tmp_path: Path) -> None:
    rows = np.eye(3, 16, dtype=np.float32)
    store = SqliteStore(tmp_path / 'memory.db')
    for life in range(2):
        vectors = Vectors(store, tmp_path / 'index', 16)
        assert vectors.ready.wait(10.0)
        for _ in range(2):
            ids = vectors.add(rows, ['a', 'b', 'c'], numbers=[1, 2, 2**63 - 1])
        assert ids == ['0' * 15 + '1', '0' * 15 + '2', '7' + 'f' * 15]
        assert len(vectors) == 3, life
        assert vectors.search(rows[1], 3)[0].text == 'b'
        vectors.save()
        vectors.close()
    store.close()


def test_a_note_is_kept_once() -> None:
    pytest.importorskip('tokenizers')
    memory = Memory(SqliteStore(), CLOCK)
    ids = [memory.note('the charger hums', request=request) for request in ('x', 'x', 'y', '')]
    assert ids[0] == ids[1] and len(set(ids)) == 3
    assert len(memory.search('charger')) == 3
    memory.close()
