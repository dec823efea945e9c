"""Vectors with text and metadata: the store is the truth, the index only a fast way in (the door of usearch)."""

from __future__ import annotations

import ctypes
import json
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import nlargest
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from loom.core.dice import DICE
from loom.core.errors import EventError, StateError
from loom.core.event import encode
from loom.memory.store import MALFORMED, Store

if TYPE_CHECKING:
    from usearch.index import Index

Vector = NDArray[np.float32]
SPACE, ABOUT = 'vectors', 'index'
# Measured on 100,000 vectors of 384 numbers: see tests/bench/bench_memory.py.
NEIGHBOURS, BREADTH_ADD, BREADTH_SEARCH = 16, 128, 40
CANDIDATES, WIDER = 24, 16
BATCH = 1000


@dataclass(frozen=True)
class Note:
    """A text with metadata, found by its vector; `score` is the cosine of the angle to the one looked for."""

    id: str
    text: str
    metadata: dict[str, Any]
    score: float = 1.0


class Vectors:
    """Nearest neighbours among any number of vectors; usable from any thread.

    The index lies in 8 bits a number in `path`. What of the store it lacks, all of it where it is missing or damaged,
    is added by a thread; until that is `ready`, searches look at every vector.
    """

    def __init__(self, store: Store, path: Path | None = None, dimensions: int = 384, threads: int = 0) -> None:
        self.notice = ''
        self.ready = threading.Event()
        self._store, self._path, self._dimensions, self._threads = store, path, dimensions, threads
        self._mutex = threading.Lock()
        self._closing = False
        self._index = self._load()
        self._work = threading.Thread(target=self._catch_up, name='loom-vectors', daemon=True)
        self._work.start()

    def __len__(self) -> int:
        return len(self._store.keys(SPACE))

    def add(self, vectors: Vector, texts: Sequence[str] = (), metadata: Sequence[Mapping[str, Any]] = (),
            numbers: Sequence[int] = ()) -> list[str]:
        """Keeps vectors (n, dimensions), each with its text and metadata; returns their ids when they are safe.

        `numbers` below 2^63 make the ids, so that what is added again is there once; left out, they are drawn.
        """
        vectors = self._checked(vectors)
        ids = [f'{number:016x}' for number in numbers or [DICE.getrandbits(63) for _ in vectors]]
        rows = zip(ids, vectors, texts or [''] * len(ids), metadata or [{}] * len(ids), strict=True)
        self._store.put(SPACE, {key: vector.tobytes() + _details(text, about) for key, vector, text, about in rows})
        with self._mutex:
            new = [place for place, key in enumerate(ids) if not numbers or int(key, 16) not in self._index]
            self._insert([ids[place] for place in new], vectors[new])
        return ids

    def remove(self, ids: Sequence[str]) -> None:
        """Forgets vectors."""
        self._store.put(SPACE, dict.fromkeys(ids))
        with self._mutex:
            self._index.remove(_numbers(ids))

    def search(self, vector: Vector, k: int = 10, where: Mapping[str, Any] | None = None) -> list[Note]:
        """The k notes nearest to a vector, nearest first, of those whose metadata has all that `where` says."""
        sought = self._checked(vector)[0]
        if self.ready.is_set():
            few = max(CANDIDATES, 2 * k)
            for count in (few, WIDER * few):
                with self._mutex:
                    keys = self._index.search(_quantised(sought[None])[0], count, threads=1).keys.ravel()
                records = self._store.get(SPACE, [f'{int(key):016x}' for key in keys])
                found = self._nearest(sought, k, where or {}, iter(records.items()))
                if len(found) == k or len(keys) < count:
                    return found
        return self._nearest(sought, k, where or {}, self._store.scan(SPACE))

    def save(self) -> None:
        """Writes the index, so that the next start need not make it anew."""
        if self._path is None or not self.ready.is_set():
            return
        with self._mutex:
            content = bytes(self._index.save() or b'')
        new = self._path.with_name(f'{self._path.name}.new')
        try:
            new.write_bytes(content)
            new.replace(self._path)
        except OSError as error:
            self.notice = f'the index could not be written and will be made anew: {error}'
            return
        # The sum is in the store: a file that was damaged or torn is not even opened.
        self._store.put(ABOUT, {SPACE: str(zlib.crc32(content)).encode()})

    def close(self) -> None:
        """Ends the thread."""
        self._closing = True
        self._work.join()

    def _checked(self, vectors: Vector) -> Vector:
        rows = np.atleast_2d(np.asarray(vectors, np.float32))
        if rows.ndim != 2 or rows.shape[1] != self._dimensions or not np.isfinite(rows).all():
            raise StateError(f'a vector must have {self._dimensions} finite numbers, got {np.shape(vectors)}',
                             MALFORMED)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if not lengths.all():
            raise StateError('a vector must have a direction, got only zeros', MALFORMED)
        return np.ascontiguousarray(rows / lengths, np.float32)

    def _nearest(self, sought: Vector, k: int, where: Mapping[str, Any],
                 records: Iterator[tuple[str, bytes]]) -> list[Note]:
        size = 4 * self._dimensions
        best: list[tuple[float, str, bytes]] = []
        while batch := list(islice(records, BATCH)):
            batch = [(key, value) for key, value in batch if not where or _matches(value[size:], where)]
            rows = np.frombuffer(b''.join(value[:size] for _, value in batch), np.float32)
            scores = (rows.reshape(-1, self._dimensions) @ sought).tolist()
            best = nlargest(k, [*best, *((score, key, value[size:]) for score, (key, value) in zip(scores, batch))])
        details = [(key, score, json.loads(value)) for score, key, value in best]
        return [Note(key, about['text'], about['metadata'], score) for key, score, about in details]

    def _load(self) -> Index:
        index = _empty_index(self._dimensions)
        wanted = self._store.get(ABOUT, [SPACE]).get(SPACE)
        if self._path is None or wanted is None:
            return index
        try:
            content = self._path.read_bytes()
        except OSError:
            self.notice = f'{self._path} is missing: the index is made anew from the store'
            return index
        if str(zlib.crc32(content)).encode() != wanted:
            self.notice = f'{self._path} is damaged or old: the index is made anew from the store'
            return index
        index.load(content)
        return index

    def _catch_up(self) -> None:
        """Adds what only the store has, and removes what only the index has."""
        indexed = {f'{key:016x}' for key in np.asarray(self._index.keys[:]).tolist()}
        kept = self._store.keys(SPACE)
        missing = [key for key in kept if key not in indexed]
        gone = list(indexed.difference(kept))
        with self._mutex:
            if gone:
                self._index.remove(_numbers(gone))
        size = 4 * self._dimensions
        for begin in range(0, len(missing), BATCH):
            if self._closing:
                return
            records = self._store.get(SPACE, missing[begin:begin + BATCH])
            with self._mutex:
                new = {key: value for key, value in records.items() if int(key, 16) not in self._index}
                rows = np.frombuffer(b''.join(value[:size] for value in new.values()), np.float32)
                self._insert(list(new), rows.reshape(-1, self._dimensions))
        self.ready.set()

    def _insert(self, ids: list[str], vectors: Vector) -> None:
        if ids:
            # Threads that begin an index together do not see each other's vectors, and some are never found.
            threads = self._threads if len(self._index) >= BATCH else 1
            self._index.add(_numbers(ids), _quantised(vectors), threads=threads)


def _empty_index(dimensions: int) -> Index:
    # usearch carries parts of the C++ library: were the system's not there first, the next to need it would crash.
    with suppress(OSError):
        ctypes.CDLL('libstdc++.so.6', ctypes.RTLD_GLOBAL)
    from usearch.index import Index
    return Index(ndim=dimensions, metric='cos', dtype='i8', connectivity=NEIGHBOURS, expansion_add=BREADTH_ADD,
                 expansion_search=BREADTH_SEARCH)


def _numbers(ids: Sequence[str]) -> NDArray[np.uint64]:
    return np.array([int(key, 16) for key in ids], np.uint64)


def _quantised(rows: Vector) -> NDArray[np.int8]:
    # The angle does not change with the length: each vector uses all of the 8 bits.
    return np.round(rows * (127.0 / np.abs(rows).max(axis=1, keepdims=True))).astype(np.int8)


def _details(text: str, metadata: Mapping[str, Any]) -> bytes:
    try:
        return encode({'text': text, 'metadata': dict(metadata)})
    except EventError as error:
        raise StateError(f'metadata must be plain JSON: {error}', MALFORMED) from None


def _matches(details: bytes, where: Mapping[str, Any]) -> bool:
    metadata = json.loads(details)['metadata']
    return all(key in metadata and metadata[key] == value for key, value in where.items())
