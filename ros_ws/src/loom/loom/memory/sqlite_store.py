"""SqliteStore: one file, fsync before an acknowledgement, healed from its last good snapshot (the door of sqlite3)."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Any

from loom.core.errors import StateError
from loom.memory.store import DAMAGED, IN_USE, NEWER, UNWRITABLE

SCHEMA = 1
TABLE = ('CREATE TABLE IF NOT EXISTS records (space TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,'
         ' PRIMARY KEY (space, key))')
PUT = 'INSERT INTO records VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value'
FORGET = 'DELETE FROM records WHERE space = ? AND key = ?'
MANY, PAGE = 500, 1000
BUSY_S = 5.0


class SqliteStore:
    """Records in `path`, beside it `.snapshot` and `.snapshot.old`; without a path they live as long as this object."""

    def __init__(self, path: Path | None = None, notice: str = '') -> None:
        self.notice = notice
        self._path = path
        self._mutex = threading.Lock()
        self._owner = _owned(path) if path else None
        try:
            self._connection = self._open()
        except BaseException:
            self._release()
            raise
        self._saved = -1

    def put(self, space: str, records: Mapping[str, bytes | None]) -> None:
        """Keeps all the records or none, None forgets one; returns when that is on the disk."""
        with self._mutex:
            try:
                self._connection.execute('BEGIN IMMEDIATE')
                self._connection.executemany(PUT, [(space, k, v) for k, v in records.items() if v is not None])
                self._connection.executemany(FORGET, [(space, k) for k, v in records.items() if v is None])
                self._connection.execute('COMMIT')
            except sqlite3.Error as error:
                with suppress(sqlite3.Error):
                    self._connection.execute('ROLLBACK')
                raise StateError(f'nothing was kept: {self._path or "the store"} can\'t be written: {error}',
                                 UNWRITABLE) from None

    def get(self, space: str, keys: Iterable[str]) -> dict[str, bytes]:
        """The records that are there, by key."""
        wanted = list(keys)
        found: dict[str, bytes] = {}
        for begin in range(0, len(wanted), MANY):
            some = wanted[begin:begin + MANY]
            marks = ', '.join('?' * len(some))
            found.update(self._read(f'SELECT key, value FROM records WHERE space = ? AND key IN ({marks})',
                                    (space, *some)))
        return found

    def keys(self, space: str) -> list[str]:
        """Every key of a space, sorted."""
        return [key for (key,) in self._read('SELECT key FROM records WHERE space = ? ORDER BY key', (space,))]

    def scan(self, space: str) -> Iterator[tuple[str, bytes]]:
        """Every record of a space, sorted by key, read in pages."""
        last = ''
        while page := self._read('SELECT key, value FROM records WHERE space = ? AND key > ? ORDER BY key LIMIT ?',
                                 (space, last, PAGE)):
            yield from page
            last = page[-1][0]

    def snapshot(self) -> None:
        """Copies the file, checks the copy, and puts it in place of the last one, which is kept as the old one."""
        if self._path is None or self._saved == self._connection.total_changes:
            return
        changes = self._connection.total_changes
        new, now, old = (_beside(self._path, part) for part in ('snapshot.new', 'snapshot', 'snapshot.old'))
        try:
            # A second connection reads while this one goes on writing.
            with closing(_connect(self._path)) as source, closing(_connect(new)) as target:
                source.backup(target)
                target.execute('PRAGMA journal_mode = DELETE')
                _check(target)
            _sync(new)
            if now.exists():
                now.replace(old)
            new.replace(now)
            _sync(self._path.parent)
        except (sqlite3.Error, OSError) as error:
            raise StateError(f'no snapshot of {self._path} could be made: {error}', UNWRITABLE) from None
        self._saved = changes

    def close(self) -> None:
        """Ends it."""
        with self._mutex:
            self._connection.close()
            self._release()

    def _open(self) -> sqlite3.Connection:
        if self._path is None:
            return _prepared(':memory:')
        try:
            return _prepared(self._path)
        except sqlite3.OperationalError as error:
            raise StateError(f'{self._path} can\'t be opened: {error}', UNWRITABLE) from None
        except sqlite3.DatabaseError as error:
            return self._healed(self._path, str(error))

    def _healed(self, path: Path, damage: str) -> sqlite3.Connection:
        for suffix in ('', '-wal', '-shm'):
            with suppress(FileNotFoundError):
                Path(f'{path}{suffix}').replace(_beside(path, f'damaged{suffix}'))
        told = f'{path} was damaged ({damage}) and is kept as {_beside(path, "damaged").name}'
        for part in ('snapshot', 'snapshot.old'):
            with suppress(sqlite3.DatabaseError, FileNotFoundError):
                with closing(_connect(_beside(path, part), 'ro')) as source, closing(_connect(path)) as target:
                    _check(source)
                    source.backup(target)
                self.notice = f'{told}; the last good snapshot is used, what came after it is lost'
                return _prepared(path)
        self.notice = f'{told}; there is no good snapshot, so that nothing is remembered'
        path.unlink(missing_ok=True)
        return _prepared(path)

    def _read(self, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        with self._mutex:
            try:
                return self._connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise StateError(f'{self._path or "the store"} can\'t be read: {error}; start anew to use its last '
                                 f'good snapshot', DAMAGED) from None

    def _release(self) -> None:
        if self._owner is not None:
            self._owner.close()
            self._owner = None


def _prepared(path: Path | str) -> sqlite3.Connection:
    connection = _connect(path)
    try:
        connection.execute('PRAGMA journal_mode = WAL')
        connection.execute('PRAGMA synchronous = FULL')
        _check(connection)
        connection.execute(TABLE)
        connection.execute(f'PRAGMA user_version = {SCHEMA}')
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(path: Path | str, mode: str = 'rwc') -> sqlite3.Connection:
    name = path if isinstance(path, str) else f'{path.resolve().as_uri()}?mode={mode}'
    if mode == 'ro' and not Path(path).exists():
        raise FileNotFoundError(path)
    return sqlite3.connect(name, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)


def _check(connection: sqlite3.Connection) -> None:
    """Raises DatabaseError for a damage, StateError 401 for a file of a newer Loom."""
    (verdict,) = connection.execute('PRAGMA integrity_check(1)').fetchone()
    if verdict != 'ok':
        raise sqlite3.DatabaseError(verdict)
    (version,) = connection.execute('PRAGMA user_version').fetchone()
    if version > SCHEMA:
        raise StateError(f'a store must have at most version {SCHEMA}, got {version}: a newer Loom wrote it; update '
                         f'this one or give it another folder', NEWER)


def _owned(path: Path) -> IO[bytes]:
    """The lock that keeps other processes away; its death frees it."""
    file = _beside(path, 'lock').open('wb')
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise StateError(f'{path} must have one owner and another process has it; end that, or give this one another '
                         f'folder', IN_USE) from None
    return file


def _beside(path: Path, part: str) -> Path:
    return path.with_name(f'{path.name}.{part}')


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
