"""What can be asked of the memory server: one of these below its name, in `memory.update` and `memory.retrieve`.

`{"episode": {"kind": "object", "text": "red ball", "x": 4.0, "y": 3.0}}` keeps one,
`{"episodes": {"near": "kitchen", "last_s": 600}}` finds what was seen near the kitchen in the last ten minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from loom.core.errors import StateError
from loom.memory.store import MALFORMED

MOST = 200


class Request(BaseModel):
    """Base of all requests: nothing unknown, no infinite numbers."""

    model_config = ConfigDict(extra='forbid', allow_inf_nan=False)


class NewState(Request):
    """A value that the sender keeps; null is a value too."""

    key: str = Field(min_length=1, max_length=200)
    value: Any
    version: int = Field(1, ge=0)


class NewNote(Request):
    """A text to be found by its meaning."""

    text: str = Field(min_length=1, max_length=10_000)
    metadata: dict[str, Any] = {}


class NewEpisode(Request):
    """Something noticed, in metres in the map frame; without `stamp_ns` it is the event's."""

    kind: str = Field(min_length=1, max_length=200)
    text: str = Field(max_length=1000)
    x: float | None = None
    y: float | None = None
    stamp_ns: int = Field(0, ge=0)
    importance: float = Field(0.5, ge=0, le=1)
    data: dict[str, Any] = {}


class StateQuery(Request):
    """One value of an agent, or all of them without `key`; without `agent` they are the sender's."""

    key: str = ''
    agent: str = ''
    version: int = Field(1, ge=0)


class NoteQuery(Request):
    """Notes whose meaning is nearest to a text, of those whose metadata has all that `where` says."""

    text: str = Field(min_length=1, max_length=10_000)
    where: dict[str, Any] = {}
    limit: int = Field(10, ge=1, le=MOST)


class EpisodeQuery(Request):
    """Episodes near a named place or a point, in the last seconds or between two stamps, newest first."""

    near: str = ''
    x: float | None = None
    y: float | None = None
    radius_m: float = Field(2.5, gt=0)
    last_s: float | None = Field(None, ge=0)
    since_ns: int | None = None
    until_ns: int | None = None
    kind: str = ''
    text: str = ''
    limit: int = Field(20, ge=1, le=MOST)


UPDATES: Mapping[str, type[Request]] = {'state': NewState, 'note': NewNote, 'episode': NewEpisode}
QUERIES: Mapping[str, type[Request]] = {'state': StateQuery, 'notes': NoteQuery, 'episodes': EpisodeQuery}


def read(kinds: Mapping[str, type[Request]], data: Any) -> Request:
    """The one request in an event's data; StateError 406 names what is wrong with it."""
    if not isinstance(data, dict) or len(data) != 1 or (name := next(iter(data))) not in kinds:
        raise StateError(f'a request must be one of {", ".join(kinds)}, got {f"{data!r}"[:200]}', MALFORMED)
    try:
        return kinds[name].model_validate(data[name])
    except ValidationError as error:
        faults = '; '.join(f'{".".join(map(str, (name, *fault["loc"])))}: {fault["msg"]}' for fault in error.errors())
        raise StateError(faults, MALFORMED) from None
