"""Event types and the patterns that select them: `*` is one segment, a last `**` is the rest."""

from __future__ import annotations

import re
from functools import lru_cache

from loom.core.errors import EventError

MAX_TYPE_LENGTH = 200
_SEGMENT = re.compile(r'[a-z][a-z0-9_]*\Z')


@lru_cache(maxsize=4096)
def check_type(event_type: str) -> str:
    """The type itself, or EventError where it is not dotted lower_snake."""
    if len(event_type) > MAX_TYPE_LENGTH or not all(_SEGMENT.match(s) for s in event_type.split('.')):
        raise EventError(
            f'an event type must be lower_snake words joined by dots, at most {MAX_TYPE_LENGTH} characters, '
            f'like camera.front.person; got {event_type[:80]!r}')
    return event_type


def check_pattern(pattern: str) -> str:
    """The pattern itself, or EventError where a segment is neither a word nor a wildcard."""
    segments = pattern.split('.')
    words = [s for i, s in enumerate(segments) if s != '*' and not (s == '**' and i == len(segments) - 1)]
    if len(pattern) > MAX_TYPE_LENGTH or not all(_SEGMENT.match(s) for s in words):
        raise EventError(
            f'a pattern must be lower_snake words or * joined by dots, ** only last, like camera.*.person; '
            f'got {pattern[:80]!r}')
    return pattern


def is_wildcard(pattern: str) -> bool:
    """Whether the pattern can match more than one type."""
    return '*' in pattern


@lru_cache(maxsize=4096)
def matches(pattern: str, event_type: str) -> bool:
    """Whether the type is one the pattern selects."""
    wanted, found = pattern.split('.'), event_type.split('.')
    if wanted[-1] == '**':
        wanted = wanted[:-1]
        found = found[:len(wanted)]
    return len(wanted) == len(found) and all(w in ('*', f) for w, f in zip(wanted, found))
