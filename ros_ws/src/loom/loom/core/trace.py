"""W3C trace context, version 00, in and out of what travels, and the spans of the work done on it.

A process that exports its spans gives `record` a sink; in all others a trace is only passed on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar, Token
from hashlib import blake2b
from types import TracebackType
from typing import Any, NamedTuple

from loom.core.clock import wall_ns
from loom.core.dice import DICE

_HEADER = re.compile(r'00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}')
_MAX_STATE = 512
MAX_ERROR = 500
# One bit in either id: neither may be zero.
_NOT_ZERO = 1 << 64 | 1
_LOWER_64 = (1 << 64) - 1
_ODD = frozenset('13579bdf')


class Span(NamedTuple):
    """One piece of work in a trace: ids in hex digits, times in nanoseconds of the wall clock; no parent: the root."""

    name: str
    traceparent: str
    tracestate: str
    parent: str
    begin_ns: int
    end_ns: int
    about: str = ''
    error: str = ''


class _Place(NamedTuple):
    """Where in which trace the work goes on, and the event that caused it."""

    traceparent: str
    tracestate: str
    cause: Any = None
    checked: bool = True


Sink = Callable[[Span], None]
_CURRENT: ContextVar[_Place | None] = ContextVar('loom_trace', default=None)


class _Recording:
    sink: Sink | None = None
    # Traces are kept whose lower 64 bits are below this, as OpenTelemetry's TraceIdRatioBased does it.
    below: int = 1 << 64


def record(sink: Sink | None, ratio: float = 1.0) -> None:
    """Hands every span of this process to `sink`, which must not block; of new traces the share `ratio` is sampled."""
    _Recording.sink, _Recording.below = sink, round(ratio * (1 << 64))


def trace_headers(source: str = 'loom') -> tuple[str, str]:
    """(traceparent, tracestate) for what is sent now: of the current trace, or of a new one that `source` begins."""
    place = _current() or _origin(source)
    return place.traceparent, place.tracestate


def child_headers(traceparent: str, tracestate: str) -> tuple[str, str]:
    """(traceparent, tracestate) for what a message with these headers causes."""
    place = _current()
    if place is None or place.traceparent[:35] != traceparent[:35]:
        place = _place(traceparent, tracestate)
    return place.traceparent, place.tracestate


def trace_id(traceparent: str) -> str:
    """The 32 hex digits that name the trace; empty where the header is malformed."""
    return traceparent[3:35] if _HEADER.fullmatch(traceparent) else ''


def current_trace() -> str:
    """The 32 hex digits of the trace in which this is called; empty outside of any."""
    place = _current()
    return place.traceparent[3:35] if place else ''


def cause() -> Any:
    """The event that is being handled; None outside of any handler."""
    place = _CURRENT.get()
    return place.cause if place else None


def message_trace(topic: str, stamp_ns: int, frame: str) -> str:
    """The traceparent of a standard message, the same wherever it is asked for: by resolved topic, stamp and frame."""
    digest = blake2b(f'{topic}\0{stamp_ns}\0{frame}'.encode(), digest_size=24).digest()
    return _header(int.from_bytes(digest, 'big'))


def published(name: str, topic: str, stamp_ns: int, frame: str, begin_ns: int) -> None:
    """Notes the span in which a standard message came about, the root of the trace that `message_trace` gives it."""
    if _Recording.sink is not None:
        _note_root(name, message_trace(topic, stamp_ns, frame), begin_ns, topic)


class continued:
    """While inside, everything belongs to the trace that the headers name; malformed ones start a new trace."""

    __slots__ = ('_place', '_token')

    def __init__(self, traceparent: str, tracestate: str = '', cause: Any = None) -> None:
        # Most handlers send nothing: the headers are looked at when somebody asks for them.
        self._place = _Place(traceparent, tracestate, cause, False)
        self._token: Token[_Place | None] | None = None

    def __enter__(self) -> None:
        self._token = _CURRENT.set(self._place)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        assert self._token is not None
        _CURRENT.reset(self._token)

    def failed(self, error: Exception) -> None:
        """Marks the work as failed, where the error is dealt with inside."""


class handling(continued):
    """Like `continued`, and one span named `loom.<stage>.<verb>` where the trace is sampled; `about` is its subject.

    Without headers it begins a new trace. `cause` is the event that is handled.
    """

    __slots__ = ('_about', '_begin_ns', '_error', '_name', '_parent')

    def __init__(self, name: str, traceparent: str, tracestate: str = '', about: str = '', cause: Any = None) -> None:
        super().__init__(traceparent, tracestate, cause)
        self._begin_ns = 0
        place = self._place = _place(traceparent, tracestate, cause)
        if _Recording.sink is not None and _sampled(place.traceparent):
            known = place.traceparent[:35] == traceparent[:35]
            self._parent = place.traceparent[36:52] if known else ''
            self._name, self._about, self._error, self._begin_ns = name, about, '', wall_ns()
            self._place = place._replace(
                traceparent=f'{place.traceparent[:36]}{DICE.getrandbits(64) | 1:016x}{place.traceparent[52:]}')

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        super().__exit__(kind, error, traceback)
        sink, place = _Recording.sink, self._place
        if self._begin_ns and sink is not None:
            if isinstance(error, Exception):
                self.failed(error)
            sink(Span(self._name, place.traceparent, place.tracestate, self._parent, self._begin_ns, wall_ns(),
                      self._about, self._error))

    def failed(self, error: Exception) -> None:
        """Marks the work as failed, where the error is dealt with inside."""
        self._error = repr(error)[:MAX_ERROR]


def _current() -> _Place | None:
    place = _CURRENT.get()
    if place is not None and not place.checked:
        place = _place(*place[:3])
        _CURRENT.set(place)
    return place


def _place(traceparent: str, tracestate: str, cause: Any = None) -> _Place:
    if _HEADER.fullmatch(traceparent):
        good = not tracestate or len(tracestate) <= _MAX_STATE and tracestate.isascii() and tracestate.isprintable()
        return _Place(traceparent, tracestate if good else '', cause)
    return _Place(_header(DICE.getrandbits(192)), '', cause)


def _origin(source: str) -> _Place:
    place = _Place(_header(DICE.getrandbits(192)), '')
    if _Recording.sink is not None:
        _note_root(f'loom.{source}.create', place.traceparent, wall_ns())
    return place


def _note_root(name: str, traceparent: str, begin_ns: int, about: str = '') -> None:
    if _Recording.sink is not None and _sampled(traceparent):
        _Recording.sink(Span(name, traceparent, '', '', begin_ns, wall_ns(), about))


def _header(bits: int) -> str:
    digits = f'{bits | _NOT_ZERO:048x}'
    return f'00-{digits[:32]}-{digits[32:]}-{"01" if bits >> 64 & _LOWER_64 < _Recording.below else "00"}'


def _sampled(traceparent: str) -> bool:
    return traceparent[54] in _ODD
