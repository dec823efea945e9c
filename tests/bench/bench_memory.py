"""The memory: how many of the true nearest neighbours are found, how fast, and what keeping and rebuilding take.

100,000 vectors of 384 numbers, drawn so that they fill as many dimensions (14 by Levina and Bickel 2005) as 6000
sentences of documentation do in the network of models/. The truth is an exact search by numpy.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from row import Row

from loom.memory.memory import FILE, INDEX
from loom.memory.sqlite_store import SqliteStore
from loom.memory.vectors import Vectors

COUNT, WIDTH, HIDDEN, NOISE = 100_000, 384, 16, 0.05
QUERIES, NEAREST, BATCH, PUTS = 500, 10, 5000, 500
READY_S = 600.0
Rows = NDArray[np.float32]


def measure() -> list[Row]:
    """Fills a store on the disk, asks it, and starts it again with and without its index."""
    rows, sought = sentences(COUNT, 1), sentences(QUERIES, 2)
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / FILE)
        vectors = Vectors(store, Path(folder) / INDEX)
        ids = [key for begin in range(0, COUNT, BATCH) for key in vectors.add(rows[begin:begin + BATCH])]
        found, query_s = asked(vectors, sought)
        places = {key: place for place, key in enumerate(ids)}
        truth = np.argpartition(-(sought @ rows.T), NEAREST, axis=1)[:, :NEAREST]
        hits = sum(len({places[key] for key in keys} & set(row)) for keys, row in zip(found, truth.tolist()))
        put_ms = 1e3 * float(np.median(timed_puts(store)))
        vectors.save()
        restart_s = started(store, Path(folder) / INDEX)
        (Path(folder) / INDEX).unlink()
        rebuild_s = started(store, Path(folder) / INDEX)
        vectors.close()
        store.close()
    return [Row('memory.recall', hits / (NEAREST * QUERIES), '', '>= 0.95', 'numpy, exact'),
            Row('memory.query_ms', 1e3 * float(np.median(query_s)), 'ms', '<= 1'),
            Row('memory.query_p99_ms', 1e3 * float(np.quantile(query_s, 0.99)), 'ms'),
            Row('memory.put_ms', put_ms, 'ms'), Row('memory.restart_s', restart_s, 's'),
            Row('memory.rebuild_s', rebuild_s, 's')]


def sentences(count: int, seed: int) -> Rows:
    """Vectors (count, 384) of length 1 on a bent surface of few dimensions, with some noise."""
    shape, dice = np.random.default_rng(0), np.random.default_rng(seed)
    spread = shape.standard_normal((HIDDEN, WIDTH)) / HIDDEN ** 0.5
    mixed = shape.standard_normal((WIDTH, WIDTH)) / WIDTH ** 0.5
    rows = np.tanh(dice.standard_normal((count, HIDDEN)) @ spread) @ mixed
    rows += NOISE * dice.standard_normal((count, WIDTH))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def asked(vectors: Vectors, sought: Rows) -> tuple[list[list[str]], list[float]]:
    """The ids found for each query, and the seconds that it took."""
    assert vectors.ready.wait(READY_S)
    found, seconds = [], []
    for row in sought:
        begin = time.perf_counter()
        notes = vectors.search(row, NEAREST)
        seconds.append(time.perf_counter() - begin)
        found.append([note.id for note in notes])
    return found, seconds


def timed_puts(store: SqliteStore) -> list[float]:
    """Seconds for each of some puts of 100 bytes, fsync included."""
    seconds = []
    for number in range(PUTS):
        begin = time.perf_counter()
        store.put('bench', {f'{number % 50}': f'{number:0100}'.encode()})
        seconds.append(time.perf_counter() - begin)
    return seconds


def started(store: SqliteStore, index: Path) -> float:
    """Seconds until the vectors of a store can be searched by their index."""
    begin = time.perf_counter()
    vectors = Vectors(store, index)
    assert vectors.ready.wait(READY_S)
    seconds = time.perf_counter() - begin
    vectors.close()
    return seconds
