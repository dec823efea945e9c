"""PostgresStore: the same records on a PostgreSQL server (the door of psycopg; `pip install loom[postgres]`)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from loom.core.errors import ConfigError, StateError
from loom.memory.store import DAMAGED, NEWER, UNWRITABLE

SCHEMA = 1
PAGE = 1000
TIMEOUT_S = 5
# COLLATE "C": keys sort by their bytes, whatever language the server speaks.
TABLES = """
CREATE TABLE IF NOT EXISTS loom_schema (version integer NOT NULL);
CREATE TABLE IF NOT EXISTS loom_records (space text NOT NULL, key text COLLATE "C" NOT NULL, value bytea NOT NULL,
                                         PRIMARY KEY (space, key))"""
PUT = ('INSERT INTO loom_records VALUES (%s, %s, %s) ON CONFLICT (space, key)'
       ' DO UPDATE SET value = excluded.value')


class PostgresStore:
    """Two tables; a record is on the disk when `put` returns, unless the server was told otherwise."""

    def __init__(self, url: str) -> None:
        try:
            import psycopg
        except ImportError:
            raise ConfigError('a store at postgresql:// needs the package psycopg; type: '
                              'pip install loom[postgres]') from None
        self.notice = ''
        self._faults = psycopg.Error
        self._mutex = threading.Lock()
        try:
            self._connection: Any = psycopg.connect(url, autocommit=True, connect_timeout=TIMEOUT_S)
        except psycopg.Error as error:
            raise StateError(f'the PostgreSQL server can\'t be reached: {error}', UNWRITABLE) from None
        self._run(TABLES)
        if not (rows := self._run('SELECT version FROM loom_schema')):
            self._run('INSERT INTO loom_schema VALUES (%s)', (SCHEMA,))
        elif rows[0][0] > SCHEMA:
            self._connection.close()
            raise StateError(f'a store must have at most version {SCHEMA}, got {rows[0][0]}: a newer Loom wrote it; '
                             f'update this one or give it another database', NEWER)
        if self._run('SHOW synchronous_commit')[0][0] == 'off' or self._run('SHOW fsync')[0][0] == 'off':
            self.notice = 'this PostgreSQL may lose what it acknowledged: set synchronous_commit and fsync to on'

    def put(self, space: str, records: Mapping[str, bytes | None]) -> None:
        """Keeps all the records or none, None forgets one; returns when that is on the disk."""
        kept = [(space, key, value) for key, value in records.items() if value is not None]
        gone = [key for key, value in records.items() if value is None]
        with self._mutex:
            try:
                with self._connection.transaction(), self._connection.cursor() as cursor:
                    cursor.executemany(PUT, kept)
                    cursor.execute('DELETE FROM loom_records WHERE space = %s AND key = ANY(%s)', (space, gone))
            except self._faults as error:
                raise StateError(f'nothing was kept: PostgreSQL says: {error}', UNWRITABLE) from None

    def get(self, space: str, keys: Iterable[str]) -> dict[str, bytes]:
        """The records that are there, by key."""
        return _pairs(self._run('SELECT key, value FROM loom_records WHERE space = %s AND key = ANY(%s)',
                                (space, list(keys))))

    def keys(self, space: str) -> list[str]:
        """Every key of a space, sorted."""
        return [key for (key,) in self._run('SELECT key FROM loom_records WHERE space = %s ORDER BY key', (space,))]

    def scan(self, space: str) -> Iterator[tuple[str, bytes]]:
        """Every record of a space, sorted by key, read in pages."""
        last = ''
        while page := _pairs(self._run('SELECT key, value FROM loom_records WHERE space = %s AND key > %s ORDER BY key '
                                       'LIMIT %s', (space, last, PAGE))):
            yield from page.items()
            last = max(page)

    def snapshot(self) -> None:
        """The server keeps its own files."""

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def _run(self, statement: str, values: tuple[Any, ...] | None = None) -> list[tuple[Any, ...]]:
        with self._mutex:
            try:
                cursor = self._connection.execute(statement, values)
                return cursor.fetchall() if cursor.description else []
            except self._faults as error:
                raise StateError(f'PostgreSQL says: {error}', DAMAGED) from None


def _pairs(rows: list[tuple[str, Any]]) -> dict[str, bytes]:
    return {key: bytes(value) for key, value in rows}
