"""Memory: what a robot keeps, in one place: state by name, notes by meaning, episodes by place and time."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from loom.core.clock import Clock
from loom.core.errors import ConfigError, StateError
from loom.core.folders import state_folder
from loom.memory.embedding import DIMENSIONS, Embedder
from loom.memory.episodes import Episodes, Limits
from loom.memory.sqlite_store import SqliteStore
from loom.memory.state import State
from loom.memory.store import UNWRITABLE, Store
from loom.memory.vectors import Note, Vectors

FILE, INDEX = 'memory.db', 'vectors.usearch'


class Memory:
    """State, notes and episodes over one store; `folder` is where the index of the notes is kept."""

    def __init__(self, store: Store, clock: Clock, folder: Path | None = None, embedder: Embedder | None = None,
                 limits: Limits | None = None) -> None:
        self.store = store
        self.state = State(store)
        self._folder = folder
        self.episodes = Episodes(store, clock, limits)
        self._embedder = embedder or Embedder()

    @cached_property
    def vectors(self) -> Vectors:
        """The notes' vectors; made with the first use, because not every robot takes notes."""
        return Vectors(self.store, self._folder / INDEX if self._folder else None, DIMENSIONS)

    @property
    def notice(self) -> str:
        """What the user should know, like a damage that was healed; empty: all is well."""
        index = self.vectors.notice if 'vectors' in self.__dict__ else ''
        return '; '.join(notice for notice in (self.store.notice, index) if notice)

    def note(self, text: str, metadata: Mapping[str, Any] | None = None, request: str = '') -> str:
        """Keeps a text to be found by its meaning, once for each `request`; its id, as soon as it is safe."""
        numbers = [int.from_bytes(sha256(request.encode()).digest()[:8], 'big') >> 1] if request else []
        return self.vectors.add(self._embedder.embed(text), [text], [metadata or {}], numbers)[0]

    def search(self, text: str, k: int = 10, where: Mapping[str, Any] | None = None) -> list[Note]:
        """The k notes whose meaning is nearest, of those whose metadata has all that `where` says."""
        return self.vectors.search(self._embedder.embed(text), k, where)

    def save(self) -> None:
        """Makes a snapshot to fall back to, and writes the index, where something changed."""
        if 'vectors' in self.__dict__:
            self.vectors.save()
        self.store.snapshot()

    def close(self) -> None:
        """Ends it."""
        if 'vectors' in self.__dict__:
            self.vectors.close()
        self.store.close()


def open_store(place: str) -> tuple[Store, Path | None]:
    """A store and its folder. `place`: a folder, redis://..., postgresql://..., or empty: the user's state folder.

    A folder that can't be written gives a store that lives as long as this process, and says so in its `notice`.
    """
    if place.startswith(('redis://', 'rediss://', 'unix://')):
        from loom.memory.redis_store import RedisStore
        return RedisStore(place), None
    if place.startswith(('postgres://', 'postgresql://')):
        from loom.memory.postgres_store import PostgresStore
        return PostgresStore(place), None
    if '://' in place:
        raise ConfigError(f'a store must be a folder, redis://... or postgresql://..., got {place!r}')
    folder = Path(place).expanduser() if place else state_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return SqliteStore(folder / FILE), folder
    except OSError as error:
        reason = f'{folder} can\'t be written: {error.strerror}'
    except StateError as error:
        if error.code != UNWRITABLE:
            raise
        reason = str(error)
    return SqliteStore(notice=f'{reason}; what is remembered is lost when this process ends'), None
