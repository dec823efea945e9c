"""State: what each agent keeps by name, typed and with the version of its form."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from loom.core.errors import EventError, StateError
from loom.core.event import encode
from loom.memory.once import MARK, Once, is_mark
from loom.memory.store import DAMAGED, MALFORMED, NEWER, Store

MAX_VALUE_BYTES = 1 << 20
# Of so many agents at a time the requests that were done are at hand; of others they are read again.
MAX_AGENTS = 100


class Snapshot(BaseModel):
    """Base of typed state: raise VERSION with each change that older code would misread."""

    model_config = ConfigDict(extra='forbid')
    VERSION: ClassVar[int] = 1


Typed = TypeVar('Typed', bound=Snapshot)


class State:
    """Values by agent and key; a value is plain JSON or a Snapshot."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._once: OrderedDict[str, Once] = OrderedDict()
        self._mutex = threading.Lock()

    def put(self, agent: str, key: str, value: Any, version: int = 1, request: str = '') -> None:
        """Keeps a value; returns when it is safe. StateError 406 for what is not plain JSON or above 1 MiB.

        A `request` of this id that was done before changes nothing: an older value does not come back.
        """
        if is_mark(key):
            raise StateError(f'a key must not begin with {MARK!r}, got {key[:80]!r}', MALFORMED)
        if isinstance(value, Snapshot):
            value, version = value.model_dump(mode='json'), value.VERSION
        try:
            record = encode({'version': version, 'value': value})
        except EventError as error:
            raise StateError(f'{agent}.{key} must be plain JSON or a Snapshot: {error}', MALFORMED) from None
        if len(record) > MAX_VALUE_BYTES:
            raise StateError(f'{agent}.{key} must have at most {MAX_VALUE_BYTES} bytes, got {len(record)}', MALFORMED)
        with self._mutex:
            once = self._requests(agent)
            if once.result(request) is None:
                once.put({key: record}, request)

    def get(self, agent: str, key: str, default: Any = None, version: int = 1) -> Any:
        """The value kept, or `default`; StateError 401 where a newer `version` wrote it."""
        found = self._store.get(_space(agent), [key])
        return _value(agent, key, found[key], version) if key in found else default

    def load(self, agent: str, key: str, kind: type[Typed]) -> Typed | None:
        """A typed value, or None; StateError 401 where a newer version wrote it, 406 where it does not fit."""
        value = self.get(agent, key, version=kind.VERSION)
        try:
            return None if value is None else kind.model_validate(value)
        except ValidationError as error:
            fault = error.errors()[0]['msg']
            raise StateError(f'{agent}.{key} is no {kind.__name__} of version {kind.VERSION}: {fault}',
                             MALFORMED) from None

    def forget(self, agent: str, key: str) -> None:
        """Keeps it no longer."""
        self._store.put(_space(agent), {key: None})

    def all(self, agent: str, version: int = 1) -> dict[str, Any]:
        """Everything that an agent keeps."""
        return {key: _value(agent, key, record, version) for key, record in self._store.scan(_space(agent))
                if not is_mark(key)}

    def _requests(self, agent: str) -> Once:
        if agent not in self._once:
            self._once[agent] = Once(self._store, _space(agent))
            if len(self._once) > MAX_AGENTS:
                self._once.popitem(last=False)
        self._once.move_to_end(agent)
        return self._once[agent]


def _space(agent: str) -> str:
    return f'state/{agent}'


def _value(agent: str, key: str, record: bytes, version: int) -> Any:
    try:
        kept = json.loads(record)
        written, value = int(kept['version']), kept['value']
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(f'{agent}.{key} is damaged: {error!r}; put it anew or forget it', DAMAGED) from None
    if written > version:
        raise StateError(f'{agent}.{key} must have at most version {version}, got {written}: a newer Loom wrote it; '
                         f'update this one or forget the key', NEWER)
    return value
