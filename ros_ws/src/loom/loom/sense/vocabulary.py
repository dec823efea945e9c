"""The names that commands are made of, gathered as they become known."""

from __future__ import annotations

import json
from collections.abc import Iterable

from loom.core.errors import EventError
from loom.sense.speech import CAPABILITIES

MAX_HOSTS = 32


class Vocabulary:
    """Places of the map, and what the agents of each host can do; the `with_` methods change and return it."""

    def __init__(self) -> None:
        self.places: tuple[str, ...] = ()
        self._hosts: dict[str, tuple[str, ...]] = {}

    @property
    def capabilities(self) -> tuple[str, ...]:
        """All that can be asked for; the usual ones before anyone has said what it can do."""
        return tuple(sorted({name for names in self._hosts.values() for name in names})) or CAPABILITIES

    def with_places(self, text: str) -> Vocabulary:
        """Takes {"kitchen": [x, y, yaw], ...}; EventError where it is something else."""
        try:
            places = json.loads(text)
        except ValueError:
            places = None
        if not isinstance(places, dict):
            raise EventError(f'loom/places must be JSON like {{"kitchen": [1.0, 2.0, 0.0]}}, got {text[:80]!r}')
        self.places = tuple(places)
        return self

    def with_host(self, host: str, capabilities: Iterable[str]) -> Vocabulary:
        """Takes what the agents of a host can do now."""
        if host in self._hosts or len(self._hosts) < MAX_HOSTS:
            self._hosts[host] = tuple(capabilities)
        return self
