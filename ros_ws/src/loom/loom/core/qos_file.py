"""config/qos.yaml: delivery classes and the event types that travel otherwise, checked at load."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from loom.core.delivery import CLASSES, LANES, Deliveries, Policy
from loom.core.errors import ConfigError, EventError, nearest
from loom.core.patterns import check_pattern

VARIABLE = 'LOOM_QOS_FILE'
MAX_BYTES = 1 << 20


class _Fields(BaseModel):
    model_config = ConfigDict(extra='forbid', frozen=True, allow_inf_nan=False, strict=True)

    publish_reliable: bool | None = None
    subscribe_reliable: bool | None = None
    latched: bool | None = None
    depth: int | None = Field(None, ge=1, le=100_000)
    deadline_s: float | None = Field(None, ge=0, le=3600)
    lifespan_s: float | None = Field(None, ge=0, le=3600)
    lease_s: float | None = Field(None, ge=0, le=3600)
    policy: Policy | None = None
    lane: int | None = Field(None, ge=0, lt=LANES)


class _Topic(_Fields):
    delivery_class: str | None = Field(None, alias='class')


class _File(BaseModel):
    model_config = ConfigDict(extra='forbid', frozen=True)

    classes: dict[str, _Fields] = {}
    topics: dict[str, _Topic] = {}


def deliveries() -> Deliveries:
    """The deliveries of this process: the file that LOOM_QOS_FILE names, or the built-in classes."""
    path = os.environ.get(VARIABLE, '')
    return load(Path(path)) if path else Deliveries()


@lru_cache(maxsize=8)
def load(path: Path) -> Deliveries:
    """The deliveries in a file; ConfigError names file, key, rule and value."""
    file = _read(path)
    for name in file.classes:
        if name not in CLASSES:
            raise ConfigError(f'{path}: no delivery class named {name!r}{nearest(name, list(CLASSES))}')
    classes = {name: replace(base, **_given(file.classes.get(name))) for name, base in CLASSES.items()}
    topics = {}
    for pattern, entry in file.topics.items():
        try:
            check_pattern(pattern)
        except EventError as error:
            raise ConfigError(f'{path}: topics: {error}') from None
        chosen = entry.delivery_class
        if chosen is not None and chosen not in classes:
            raise ConfigError(f'{path}: topics: {pattern}: no delivery class named {chosen!r}'
                              f'{nearest(chosen, list(classes))}')
        topics[pattern] = {**({'class': chosen} if chosen else {}), **_given(entry)}
    return Deliveries(classes, topics)


def _read(path: Path) -> _File:
    import yaml
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f'{path}: must be at most {MAX_BYTES} bytes')
        return _File.model_validate(yaml.safe_load(path.read_text()) or {})
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f'{path}: {error}') from None
    except ValidationError as error:
        faults = [f'{".".join(map(str, fault["loc"]))}: {fault["msg"].lower()}, got {fault["input"]!r}'
                  for fault in error.errors()]
        raise ConfigError(f'{path}: ' + '; '.join(faults)) from None


def _given(fields: _Fields | None) -> dict[str, Any]:
    return fields.model_dump(exclude_none=True, exclude={'delivery_class'}) if fields else {}
