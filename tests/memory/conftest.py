"""One store of each kind: SQLite always, Redis and PostgreSQL where a server and its client are there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from loom.core.errors import LoomError
from loom.memory.memory import open_store
from loom.memory.store import Store

Opener = Callable[[], Store]
SERVERS = {'redis': ('LOOM_TEST_REDIS', 'redis://127.0.0.1:6379/15'),
           'postgres': ('LOOM_TEST_POSTGRES', 'postgresql://127.0.0.1/loom_test')}
SPACES = ('contract', 'episodes', 'vectors', 'index', 'state/ann', 'state/bob')


@pytest.fixture(params=['sqlite', *SERVERS])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens the store; again and again, it is the same one. Those of before are closed."""
    opened: list[Store] = []
    place = str(tmp_path)
    if request.param in SERVERS:
        variable, default = SERVERS[request.param]
        place = os.environ.get(variable, default)

    def again() -> Store:
        for store in opened:
            store.close()
        opened[:] = [open_store(place)[0]]
        return opened[0]
    if request.param in SERVERS:
        try:
            _empty(again())
        except LoomError as error:
            pytest.skip(f'{variable}={place}: {error}')
    yield again
    with suppress(LoomError):
        if request.param in SERVERS:
            _empty(again())
    for store in opened:
        store.close()


def _empty(store: Store) -> None:
    for space in SPACES:
        store.put(space, dict.fromkeys(store.keys(space)))
