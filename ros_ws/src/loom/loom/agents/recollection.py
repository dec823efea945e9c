"""What one agent remembers: at hand in this process, and kept by the memory server where there is one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from loom.agents.exchange import Exchange
from loom.agents.requests import CODE, ERROR
from loom.core.errors import DeadlineError, EventError, StateError
from loom.core.event import Event, encode

LOAD_S = 3.0
KEEP_S = 5.0


class Recollection:
    """Values by key; `address` is the mailbox of a memory server, empty: nothing outlives this process."""

    def __init__(self, exchange: Exchange, address: str = '') -> None:
        self._exchange, self._address = exchange, address
        self._values: dict[str, Any] = {}
        self._kept: set[str] = set()
        self._waiting: list[Callable[[], None]] = []
        self._loaded = not address

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key."""
        return self._values.get(key, default)

    async def put(self, key: str, value: Any, cause: Event | None = None) -> None:
        """Remembers a value; plain JSON is safe with the memory server when this returns, anything else stays here.

        StateError or DeadlineError where the server could not keep it.
        """
        self._values[key] = value
        if not self._address:
            return
        try:
            encode(value)
        except EventError:
            if key not in self._kept:
                return
            value = None
        self._kept.add(key)
        await self._ask('memory.update', {'state': {'key': key, 'value': value}}, KEEP_S, cause)

    async def load(self) -> None:
        """Gets back what the server kept; without a server, or where it refuses, this process remembers by itself."""
        if self._loaded:
            return
        try:
            self._values.update(await self._ask('memory.retrieve', {'state': {}}, LOAD_S))
            self._kept.update(self._values)
        except (StateError, DeadlineError) as error:
            self._address = ''
            logging.getLogger(f'loom.agents.{self._exchange.name}').warning(
                'what I remember is lost when this process ends: %s', error)
        self._loaded = True
        for work in self._waiting:
            work()

    def then(self, work: Callable[[], None]) -> None:
        """Does something as soon as everything is loaded."""
        if self._loaded:
            work()
        else:
            self._waiting.append(work)

    async def _ask(self, type: str, data: Any, timeout_s: float, cause: Event | None = None) -> Any:
        question = self._exchange.compose(cause, type, data, reply_to=self._exchange.name)
        answer = await self._exchange.ask(self._address, question, timeout_s)
        if ERROR in answer.metadata:
            raise StateError(answer.metadata[ERROR], int(answer.metadata[CODE]))
        return answer.data
