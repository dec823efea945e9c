"""RedisStore: the same records on a Redis server (the door of redis; `pip install loom[redis]`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from loom.core.errors import ConfigError, StateError
from loom.memory.store import DAMAGED, NEWER, UNWRITABLE

SCHEMA = 1
PREFIX = 'loom'
PAGE = 1000
TIMEOUT_S = 5.0


class RedisStore:
    """One hash for each space, below `loom:`; how soon a record is on the disk is the server's `appendfsync`."""

    def __init__(self, url: str) -> None:
        try:
            import redis
        except ImportError:
            raise ConfigError('a store at redis:// needs the package redis; type: pip install loom[redis]') from None
        self._faults = redis.RedisError
        self._server: Any = redis.Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        self.notice = ''
        with _told(self._faults, 'reached'):
            version = int(self._server.get(f'{PREFIX}:schema') or 0)
            if version > SCHEMA:
                raise StateError(f'a store must have at most version {SCHEMA}, got {version}: a newer Loom wrote it; '
                                 f'update this one or give it another database', NEWER)
            self._server.set(f'{PREFIX}:schema', SCHEMA)
        self.notice = self._weakness()

    def put(self, space: str, records: Mapping[str, bytes | None]) -> None:
        """Keeps all the records or none; None forgets one."""
        kept = {key: value for key, value in records.items() if value is not None}
        gone = [key for key, value in records.items() if value is None]
        with _told(self._faults, 'written'), self._server.pipeline(transaction=True) as together:
            if kept:
                together.hset(_name(space), mapping=kept)
            if gone:
                together.hdel(_name(space), *gone)
            together.execute()

    def get(self, space: str, keys: Iterable[str]) -> dict[str, bytes]:
        """The records that are there, by key."""
        wanted = list(keys)
        with _told(self._faults, 'read', DAMAGED):
            values = self._server.hmget(_name(space), wanted) if wanted else []
        return {key: value for key, value in zip(wanted, values) if value is not None}

    def keys(self, space: str) -> list[str]:
        """Every key of a space, sorted."""
        with _told(self._faults, 'read', DAMAGED):
            return sorted(key.decode() for key in self._server.hkeys(_name(space)))

    def scan(self, space: str) -> Iterator[tuple[str, bytes]]:
        """Every record of a space, sorted by key, read in pages."""
        keys = iter(self.keys(space))
        while page := list(islice(keys, PAGE)):
            found = self.get(space, page)
            yield from ((key, found[key]) for key in page if key in found)

    def snapshot(self) -> None:
        """The server keeps its own files."""

    def close(self) -> None:
        """Ends the connection."""
        self._server.close()

    def _weakness(self) -> str:
        try:
            kept = {**self._server.config_get('appendonly'), **self._server.config_get('appendfsync')}
        except self._faults:
            return 'this Redis does not tell whether it writes to the disk at once; see appendonly and appendfsync'
        if (kept.get('appendonly'), kept.get('appendfsync')) == ('yes', 'always'):
            return ''
        return ('this Redis may lose what it acknowledged when its machine stops; set appendonly yes and appendfsync '
                'always to prevent that')


class _told:
    """Faults of the server become a StateError that says what could not be done."""

    def __init__(self, faults: type[Exception], done: str, code: int = UNWRITABLE) -> None:
        self._faults, self._done, self._code = faults, done, code

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, self._faults):
            raise StateError(f'the Redis server can\'t be {self._done}: {error}', self._code) from None


def _name(space: str) -> str:
    return f'{PREFIX}:records:{space}'
