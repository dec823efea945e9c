"""Vectors: the nearest are found, by metadata too, whatever happened to the index."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loom.core.errors import StateError
from loom.memory.memory import FILE, INDEX
from loom.memory.sqlite_store import SqliteStore
from loom.memory.store import Store
from loom.memory.vectors import Vectors

WIDE = 16
Until = Callable[..., None]


def rows(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, WIDE)).astype(np.float32)


class Kept:
    """Vectors over one store that can be opened anew, as after a kill."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._opened: tuple[Store, Vectors] | None = None

    def open(self, wait: bool = True) -> Vectors:
        self.close()
        store = SqliteStore(self.folder / FILE)
        self._opened = store, Vectors(store, self.folder / INDEX, WIDE)
        assert not wait or self._opened[1].ready.wait(10.0)
        return self._opened[1]

    def close(self) -> None:
        if self._opened is not None:
            store, vectors = self._opened
            vectors.close()
            store.close()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    yield made
    made.close()


def truth(all_rows: np.ndarray, sought: np.ndarray, k: int) -> list[int]:
    scores = (all_rows / np.linalg.norm(all_rows, axis=1, keepdims=True)) @ (sought / np.linalg.norm(sought))
    return np.argsort(-scores)[:k].tolist()


def numbers(vectors: Vectors, sought: np.ndarray, k: int = 5, where: dict[str, Any] | None = None) -> list[int]:
    return [note.metadata['number'] for note in vectors.search(sought, k, where)]


def fill(vectors: Vectors, count: int, seed: int = 0) -> np.ndarray:
    made = rows(count, seed)
    vectors.add(made, [f'text {n}' for n in range(count)],
                [{'number': n, 'even': n % 2 == 0, 'rare': n in (3, 70)} for n in range(count)])
    return made


def test_the_nearest_come_first_with_text_and_metadata(kept: Kept) -> None:
    vectors = kept.open()
    made = fill(vectors, 500)
    found = vectors.search(made[42] * 7, 3)
    assert (found[0].text, found[0].metadata['number']) == ('text 42', 42)
    assert found[0].score == pytest.approx(1.0, abs=1e-5) and found[0].score > found[1].score > found[2].score
    assert numbers(vectors, made[42]) == truth(made, made[42], 5)
    assert len(vectors) == 500


def test_metadata_selects_also_what_is_rare_and_far(kept: Kept) -> None:
    vectors = kept.open()
    made = fill(vectors, 1000)
    even = [n for n in truth(made, made[5], 1000) if n % 2 == 0][:5]
    assert numbers(vectors, made[5], 5, {'even': True}) == even
    assert set(numbers(vectors, made[5], 5, {'rare': True})) == {3, 70}
    assert numbers(vectors, made[5], 5, {'even': True, 'rare': True}) == [70]
    assert numbers(vectors, made[5], 5, {'nothing': None}) == []


def test_what_was_removed_is_not_found_again(kept: Kept) -> None:
    vectors = kept.open()
    made = fill(vectors, 50)
    gone = vectors.search(made[7], 1)[0].id
    vectors.save()
    vectors.remove([gone])
    assert 7 not in numbers(vectors, made[7])
    assert 7 not in numbers(kept.open(), made[7])


@pytest.mark.parametrize('harm', ['none', 'missing', 'torn', 'damaged', 'old'])
def test_the_index_is_made_anew_where_it_is_missing_damaged_or_old(kept: Kept, harm: str) -> None:
    vectors, path = kept.open(), kept.folder / INDEX
    made = fill(vectors, 300)
    vectors.save()
    before = path.read_bytes()
    if harm == 'old':
        made = np.concatenate([made, fill(vectors, 300, 1)])
        path.write_bytes(before)
    elif harm == 'missing':
        path.unlink()
    elif harm != 'none':
        path.write_bytes(before[:1000] if harm == 'torn' else before[:500] + b'\xff' * 99 + before[599:])
    vectors = kept.open()
    assert bool(vectors.notice) == (harm in ('missing', 'torn', 'damaged'))
    assert len(vectors) == len(made)
    assert vectors.search(made[-1], 1)[0].text == 'text 299'
    assert numbers(vectors, made[0]) == [n % 300 for n in truth(made, made[0], 5)]


def test_while_the_index_is_made_every_vector_is_looked_at(kept: Kept) -> None:
    made = fill(kept.open(), 2500)
    vectors = kept.open(wait=False)
    vectors.ready = type(vectors.ready)()
    assert numbers(vectors, made[9]) == truth(made, made[9], 5)


@pytest.mark.parametrize('wrong', [np.zeros(WIDE), np.full(WIDE, np.nan), np.ones(WIDE + 1), np.full(WIDE, np.inf)])
def test_what_is_no_vector_is_refused(kept: Kept, wrong: np.ndarray) -> None:
    vectors = kept.open()
    for use in (vectors.add, vectors.search):
        with pytest.raises(StateError, match='a vector must have') as refused:
            use(wrong)
        assert refused.value.code == 406
    with pytest.raises(StateError, match='metadata must be plain JSON'):
        vectors.add(rows(1), ['x'], [{'x': object()}])
    assert len(vectors) == 0 and vectors.search(rows(1)[0]) == []


WRITER = """
import sys
from pathlib import Path
import numpy as np
from loom.memory.sqlite_store import SqliteStore
from loom.memory.vectors import Vectors
folder, witness = Path(sys.argv[1]), open(sys.argv[2], 'a')
vectors = Vectors(SqliteStore(folder / 'memory.db'), folder / 'vectors.usearch', 16)
dice = np.random.default_rng()
while True:
    row = dice.standard_normal(16).astype(np.float32)
    (key,) = vectors.add(row)
    witness.write(key + ' ' + row.tobytes().hex() + '\\n')
    witness.flush()
    if dice.random() < 0.1:
        vectors.save()
"""


def test_kill_9_during_insert_loses_nothing_acknowledged(kept: Kept, program: Callable[..., Any],
                                                         until: Until) -> None:
    witness = kept.folder / 'witness'
    witness.touch()
    for _ in range(4):
        kept.close()
        enough = witness.stat().st_size + 4000
        writer = program(command=[sys.executable, '-c', WRITER, str(kept.folder), str(witness)])
        until(lambda limit=enough: witness.stat().st_size > limit, 'the writer writes nothing')
        writer.end(signal.SIGKILL)
        vectors = kept.open()
        rows_of = dict(line.split() for line in witness.read_text().splitlines())
        lost = set(rows_of) - set(vectors._store.keys('vectors'))
        found = [vectors.search(np.frombuffer(bytes.fromhex(row), np.float32), 1)[0].id == key
                 for key, row in rows_of.items()]
        assert not lost and np.mean(found) > 0.99


def test_it_shares_a_process_with_the_networks() -> None:
    code = ('from loom.memory.vectors import Vectors; from loom.memory.sqlite_store import SqliteStore; '
            'Vectors(SqliteStore()).close(); import onnxruntime')
    assert subprocess.run([sys.executable, '-c', code], timeout=60).returncode == 0
