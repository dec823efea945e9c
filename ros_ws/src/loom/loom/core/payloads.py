"""Follows the handles of any number of writers, and tells when that does not work."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from loom.core.errors import PayloadError
from loom.core.handle import Handle, this_host
from loom.core.ring import MAX_BYTES, RingReader

TOO_LATE = 3
RETRY_S = 2.0
IDLE_S = 5.0
MAX_WRITERS = 16


@dataclass
class _Writer:
    """One writer as its handles show it."""

    heard_at: float
    sequence: int = 0
    ring: RingReader | None = None
    in_vain: int = 0
    retry_at: float = 0.0


class Payloads:
    """Reads what handles name.

    `counts`: `shared` came; `late` were written again before they could be read; `lost` handles did not
    come; `refused` memory can't be reached or is not to be trusted, and `refusal` says why.
    """

    def __init__(self, message_type: str, max_bytes: int = MAX_BYTES,
                 now: Callable[[], float] = time.monotonic) -> None:
        self.counts: Counter[str] = Counter()
        self.refusal = ''
        self._type, self._max_bytes, self._now = message_type, max_bytes, now
        self._writers: dict[int, _Writer] = {}

    def read(self, handle: Handle) -> memoryview | None:
        """The payload, read-only and for as long as it is held, or None where it can't be had."""
        writer = self._heard(handle)
        if writer.in_vain >= TOO_LATE and self._now() < writer.retry_at:
            return None
        try:
            payload = self._open(writer, handle).read(handle.place, handle.size)
        except PayloadError as error:
            self.counts['refused'] += 1
            self.refusal = str(error)
            self._close(writer)
            writer.in_vain = TOO_LATE
            payload = None
        if payload is not None:
            self.counts['shared'] += 1
            writer.in_vain = 0
            return payload
        writer.in_vain = min(writer.in_vain + 1, TOO_LATE)
        writer.retry_at = self._now() + RETRY_S
        self._count_late(writer)
        return None

    def failing(self) -> bool:
        """Whether the payloads of a writer that was heard lately can't be had."""
        since = self._now() - RETRY_S
        return any(writer.in_vain >= TOO_LATE and writer.heard_at > since for writer in self._writers.values())

    def let_go(self, idle_s: float = IDLE_S) -> None:
        """Frees the rings of writers that were silent for so long."""
        for number, writer in list(self._writers.items()):
            if self._now() - writer.heard_at >= idle_s:
                self._close(self._writers.pop(number))

    def _heard(self, handle: Handle) -> _Writer:
        writer = self._writers.get(handle.writer)
        if writer is None:
            if len(self._writers) >= MAX_WRITERS:
                # A new one comes seldom; so many come from somebody who makes them up.
                self._close(self._writers.pop(min(self._writers, key=lambda n: self._writers[n].heard_at)))
            writer = self._writers[handle.writer] = _Writer(0.0)
        elif handle.sequence > writer.sequence + 1:
            self.counts['lost'] += handle.sequence - writer.sequence - 1
        writer.heard_at, writer.sequence = self._now(), handle.sequence
        return writer

    def _open(self, writer: _Writer, handle: Handle) -> RingReader:
        if handle.host != this_host():
            raise PayloadError(f'memory is shared on one host, the handle is from {handle.host!r}')
        if handle.message_type != self._type:
            raise PayloadError(f'a handle must be of a {self._type}, it is of a {handle.message_type!r}')
        if writer.ring is None:
            writer.ring = RingReader(handle.pid, handle.descriptor, handle.writer, self._max_bytes)
        return writer.ring

    def _count_late(self, writer: _Writer) -> None:
        if writer.ring is not None:
            self.counts['late'] += writer.ring.late
            writer.ring.late = 0

    def _close(self, writer: _Writer) -> None:
        ring, writer.ring = writer.ring, None
        if ring is not None:
            ring.close()
