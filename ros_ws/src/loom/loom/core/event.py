"""Event: one thing that happened, with all that is needed to deliver, answer and trace it."""

from __future__ import annotations

import json
import math
import uuid
from dataclasses import dataclass, field
from typing import Any

from loom.core.errors import EventError
from loom.core.patterns import check_type
from loom.core.trace import child_headers, trace_headers

JSON = 'application/json'
HOP_LIMIT = 16
MAX_PAYLOAD_BYTES = 1 << 20
MAX_STAMP_NS = ((1 << 31) - 1) * 1_000_000_000
STAMPS = ('stamp_ns', 'expires_ns', 'reference_stamp_ns')


@dataclass(frozen=True)
class Event:
    """The envelope of house rules: times in nanoseconds of the node clock, 0 means none."""

    type: str
    source: str
    stamp_ns: int
    payload: bytes = b''
    content_type: str = JSON
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    thread_id: str = ''
    correlation_id: str = ''
    sender: str = ''
    reply_to: str = ''
    hops: int = 0
    hop_limit: int = HOP_LIMIT
    expires_ns: int = 0
    priority: int = 100
    confidence: float = 1.0
    tags: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    traceparent: str = ''
    tracestate: str = ''
    reference_topic: str = ''
    reference_stamp_ns: int = 0

    @classmethod
    def create(cls, type: str, data: Any = None, *, source: str, stamp_ns: int, **fields: Any) -> Event:
        """A new event with `data` as its JSON payload, in the current trace."""
        if 'traceparent' not in fields:
            fields['traceparent'], fields['tracestate'] = trace_headers()
        return check(cls(type, source, stamp_ns, encode(data), **fields))

    def child(self, type: str, data: Any = None, *, source: str, stamp_ns: int, **fields: Any) -> Event:
        """An event that this one caused: same conversation, one hop further, same trace."""
        traceparent, tracestate = child_headers(self.traceparent, self.tracestate)
        inherited = {'thread_id': self.thread_id, 'hops': self.hops + 1, 'hop_limit': self.hop_limit,
                     'priority': self.priority, 'traceparent': traceparent, 'tracestate': tracestate}
        return check(Event(type, source, stamp_ns, encode(data), **{**inherited, **fields}))

    def answer(self, data: Any = None, *, source: str, stamp_ns: int, **fields: Any) -> Event:
        """The reply to this event, to be sent to its `reply_to`."""
        return self.child('reply', data, source=source, stamp_ns=stamp_ns, correlation_id=self.id, **fields)

    @property
    def data(self) -> Any:
        """The payload decoded from JSON; None where it is empty. Raises EventError where it is not JSON."""
        if not self.payload:
            return None
        if self.content_type != JSON:
            raise EventError(f'data needs a payload of {JSON}, got {self.content_type!r}; read payload instead')
        try:
            return json.loads(self.payload, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise EventError(f'the payload of {self.type} from {self.sender!r} is not JSON: {error}') from None

    def expired(self, now_ns: int) -> bool:
        """Whether it is too late to act on it."""
        return 0 < self.expires_ns < now_ns


def encode(data: Any) -> bytes:
    """JSON bytes of `data`; empty for None. Raises EventError for what JSON can't carry (NaN, objects)."""
    if data is None:
        return b''
    try:
        return json.dumps(data, separators=(',', ':'), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise EventError(f'event data must be plain JSON: {error}') from None


def _no_number(constant: str) -> Any:
    raise ValueError(f'{constant} is no number of JSON')


def check(event: Event) -> Event:
    """The event itself; EventError names the rule of the envelope that it breaks."""
    check_type(event.type)
    rules = (
        (32 <= len(event.id) <= 64, f'id must have 32 to 64 characters, got {len(event.id)}'),
        *((0 <= (stamp := getattr(event, name)) <= MAX_STAMP_NS, f'{name} must be in 0..{MAX_STAMP_NS}, got {stamp}')
          for name in STAMPS),
        (0 <= event.hops <= 255 and 0 < event.hop_limit <= 255,
         f'hops {event.hops} and hop_limit {event.hop_limit} must fit in a byte'),
        (0 <= event.priority <= 255, f'priority must be in 0..255, got {event.priority}'),
        (math.isfinite(event.confidence) and 0.0 <= event.confidence <= 1.0,
         f'confidence must be in 0..1, got {event.confidence}'),
        (len(event.payload) <= MAX_PAYLOAD_BYTES, f'payload must be at most {MAX_PAYLOAD_BYTES} bytes, got '
         f'{len(event.payload)}; publish it on a raw topic and reference that'),
    )
    for holds, rule in rules:
        if not holds:
            raise EventError(f'{event.type} from {event.source!r}: {rule}')
    return event
