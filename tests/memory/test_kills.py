"""A hundred kills while it writes: state, vectors and episodes that were acknowledged are all there, none twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from loom.core.clock import ManualClock
from loom.memory.episode import Query
from loom.memory.episodes import Episodes
from loom.memory.memory import FILE, INDEX
from loom.memory.sqlite_store import SqliteStore
from loom.memory.state import State
from loom.memory.vectors import Vectors

Until = Callable[..., None]
KILLS = 100
WIDE = 16
LINE = 8
# Imports once and forks a writer for each line that it reads. What is acknowledged is written down in the witness: a
# letter and a number of seven digits. The first of each life is sent again, as one whose answer was lost.
NURSERY = """
import os, signal, sys
from pathlib import Path
import numpy as np
from loom.core.clock import ManualClock
from loom.memory.episodes import Episodes
from loom.memory.memory import FILE, INDEX
from loom.memory.sqlite_store import SqliteStore
from loom.memory.state import State
from loom.memory.vectors import Vectors

def live(folder, number):
    witness = os.open(folder / 'witness', os.O_WRONLY | os.O_APPEND)
    store = SqliteStore(folder / FILE)
    state, episodes = State(store), Episodes(store, ManualClock(1))
    vectors = Vectors(store, folder / INDEX, 16)
    while True:
        row = np.random.default_rng(number).standard_normal(16).astype(np.float32)
        for kind, work in (
                ('s', lambda: state.put('ann', 'n', number, request=f's{number}')),
                ('v', lambda: vectors.add(row, [str(number)], numbers=[number])),
                ('e', lambda: episodes.record('test', f'lap {number % 5}', 1, request=f'e{number}'))):
            work()
            os.write(witness, f'{kind}{number:07}'.encode())
        if number % 50 == 0:
            vectors.save()
            store.snapshot()
        number += 1

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        live(Path(sys.argv[1]), int(line))
    print(child, flush=True)
"""


class Writers:
    """Starts one writer after the other, kills them, and knows what they were told."""

    def __init__(self, folder: Path) -> None:
        self._witness = folder / 'witness'
        self._witness.touch()
        self._process = subprocess.Popen([sys.executable, '-c', NURSERY, str(folder)], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True, start_new_session=True)

    def start(self, number: int) -> int:
        """The process id of a writer that begins with this number."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f'{number}\n')
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def told(self) -> dict[str, list[int]]:
        """The numbers acknowledged, of each kind."""
        text = self._witness.read_text()
        lines = [text[begin:begin + LINE] for begin in range(0, len(text), LINE)]
        return {kind: [int(line[1:]) for line in lines if line[0] == kind] for kind in 'sve'}

    @property
    def size(self) -> int:
        return self._witness.stat().st_size

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(5.0)


@pytest.fixture
def writers(tmp_path: Path) -> Iterator[Writers]:
    made = Writers(tmp_path)
    yield made
    made.close()


def test_the_last_acknowledged_write_is_there_in_100_of_100(writers: Writers, tmp_path: Path, until: Until) -> None:
    dice, number = random.Random(25), 0
    for _ in range(KILLS):
        writer = writers.start(number)
        enough = writers.size + dice.randrange(20) * LINE
        until(lambda enough=enough: writers.size >= enough, 'the writer writes nothing')
        os.kill(writer, signal.SIGKILL)
        until(lambda pid=writer: not Path(f'/proc/{pid}').exists(), 'a killed process lives')
        number = check(writers.told(), tmp_path)
    assert number > KILLS


def check(told: dict[str, list[int]], folder: Path) -> int:
    """All that was acknowledged is there, and at most one thing more; the last number whose state was kept."""
    store = SqliteStore(folder / FILE)
    vectors = Vectors(store, folder / INDEX, WIDE)
    try:
        assert store.notice == ''
        last = max(told['s'], default=0)
        kept = State(store).get('ann', 'n', 0)
        assert kept - last in (0, 1), f'{last} was acknowledged, {kept} is there'
        laps = {e.text: e.count for e in Episodes(store, ManualClock(1)).find(Query(limit=200))}
        acknowledged = set(told['e'])
        possible = acknowledged | {max(told['e'], default=-1) + 1}
        least, most = (Counter(f'lap {n % 5}' for n in some) for some in (acknowledged, possible))
        assert all(least[lap] <= laps.get(lap, 0) <= most[lap] for lap in {*most, *laps}), (least, laps)
        assert vectors.ready.wait(10.0)
        ids = set(store.keys('vectors'))
        missing = {f'{n:016x}' for n in told['v']} - ids
        assert not missing and len(ids) <= len(set(told['v'])) + 1
        for n in told['v'][-3:]:
            row = np.random.default_rng(n).standard_normal(WIDE).astype(np.float32)
            assert vectors.search(row, 1)[0].text == str(n)
        return int(kept)
    finally:
        vectors.close()
        store.close()
