"""Event: one thing that happened, with all that is needed to deliver, answer and trace it."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from typing import Any

from loom.core.dice import DICE
from loom.core.errors import EventError
from loom.core.patterns import check_type
from loom.core.trace import child_headers, trace_headers

JSON = 'application/json'
HOP_LIMIT = 16
MAX_PAYLOAD_BYTES = 1 << 20
MAX_HOP_US = (1 << 32) - 1
MAX_STAMP_NS = ((1 << 31) - 1) * 1_000_000_000
_JSON = json.JSONEncoder(separators=(',', ':'), allow_nan=False).encode


def new_id() -> str:
    """32 hex digits that nothing else has."""
    return f'{DICE.getrandbits(128):032x}'


@dataclass(frozen=True)
class Hop:
    """One stage of a chain from sensor to actuator, and where its time went, in microseconds."""

    stage: str
    transport_us: int = 0
    queue_us: int = 0
    compute_us: int = 0


@dataclass(frozen=True)
class Event:
    """The envelope of house rules: times in nanoseconds of the node clock, 0 means none.

    `sent_ns` and `origin_ns` are wall clock, set by the bus; `arrived_ns` and `began_ns`, wall clock too, never travel.
    """

    type: str
    source: str
    stamp_ns: int
    payload: bytes = b''
    content_type: str = JSON
    id: str = field(default_factory=new_id)
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
    sent_ns: int = field(default=0, compare=False)
    origin_ns: int = field(default=0, compare=False)
    path: tuple[Hop, ...] = field(default=(), compare=False)
    arrived_ns: int = field(default=0, compare=False)
    began_ns: int = field(default=0, compare=False)

    @classmethod
    def create(cls, type: str, data: Any = None, *, source: str, stamp_ns: int, **fields: Any) -> Event:
        """A new event with `data` as its JSON payload, in the current trace."""
        if 'traceparent' not in fields:
            fields['traceparent'], fields['tracestate'] = trace_headers(source)
        return check(_made(type, source, stamp_ns, encode(data), fields))

    def child(self, type: str, data: Any = None, *, source: str, stamp_ns: int, **fields: Any) -> Event:
        """An event that this one caused: same conversation, one hop further, same trace."""
        traceparent, tracestate = child_headers(self.traceparent, self.tracestate)
        inherited = {'thread_id': self.thread_id, 'hops': self.hops + 1, 'hop_limit': self.hop_limit,
                     'priority': self.priority, 'traceparent': traceparent, 'tracestate': tracestate,
                     'origin_ns': self.origin_ns, 'began_ns': self.began_ns, 'path': (*self.path, self.hop(source))}
        return check(_made(type, source, stamp_ns, encode(data), {**inherited, **fields}))

    def answer(self, data: Any = None, *, source: str, stamp_ns: int, **fields: Any) -> Event:
        """The reply to this event, to be sent to its `reply_to`."""
        return self.child('reply', data, source=source, stamp_ns=stamp_ns, correlation_id=self.id, **fields)

    def hop(self, stage: str, until_ns: int = 0) -> Hop:
        """What `stage` spent on this event, its work having ended at `until_ns` by the wall clock; 0: it goes on."""
        return Hop(stage, _microseconds(self.sent_ns, self.arrived_ns), _microseconds(self.arrived_ns, self.began_ns),
                   _microseconds(self.began_ns, until_ns))

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

    def sending(self, wall_ns: int) -> Event:
        """This event as it leaves at `wall_ns`: its origin is known, the stage that made it has ended its work."""
        return self._with(sent_ns=wall_ns, origin_ns=self.origin_ns or wall_ns, path=self.path_until(wall_ns))

    def path_until(self, wall_ns: int) -> tuple[Hop, ...]:
        """The path, the work of its last stage having ended at `wall_ns`."""
        if not self.path or not self.began_ns:
            return self.path
        *before, last = self.path
        return (*before, Hop(last.stage, last.transport_us, last.queue_us, _microseconds(self.began_ns, wall_ns)))

    def arrived(self, arrived_ns: int, began_ns: int) -> Event:
        """This event with the wall clock of its arrival and of the start of the work on it."""
        return self._with(arrived_ns=arrived_ns, began_ns=began_ns)

    def _with(self, **changes: Any) -> Event:
        # dataclasses.replace runs __init__ with thirty arguments: 15 times slower, and this runs twice per event.
        copy = Event.__new__(Event)
        copy.__dict__.update(self.__dict__, **changes)
        return copy

    def expired(self, now_ns: int) -> bool:
        """Whether it is too late to act on it."""
        return 0 < self.expires_ns < now_ns


_NAMES = {f.name for f in dataclasses.fields(Event)}
_NUMBER_OF_FIELDS = len(_NAMES)
_DEFAULTS = {f.name: f.default for f in dataclasses.fields(Event) if f.default is not dataclasses.MISSING}


def _made(type: str, source: str, stamp_ns: int, payload: bytes, fields: dict[str, Any]) -> Event:
    # As with `_with`: a third of the time that __init__ of a frozen dataclass takes.
    event = Event.__new__(Event)
    values = event.__dict__
    values.update(_DEFAULTS, type=type, source=source, stamp_ns=stamp_ns, payload=payload)
    values['id'], values['metadata'] = new_id(), {}
    values.update(fields)
    if len(values) != _NUMBER_OF_FIELDS:
        raise TypeError(f'an Event has no field {", ".join(sorted(values.keys() - _NAMES))}')
    return event


def _microseconds(since_ns: int, until_ns: int) -> int:
    return min(max(until_ns - since_ns, 0) // 1000, MAX_HOP_US) if since_ns and until_ns else 0


def encode(data: Any) -> bytes:
    """JSON bytes of `data`; empty for None. Raises EventError for what JSON can't carry (NaN, objects)."""
    if data is None:
        return b''
    try:
        return _JSON(data).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise EventError(f'event data must be plain JSON: {error}') from None


def _no_number(constant: str) -> Any:
    raise ValueError(f'{constant} is no number of JSON')


def check(event: Event) -> Event:
    """The event itself; EventError names the rule of the envelope that it breaks."""
    check_type(event.type)
    if (32 <= len(event.id) <= 64 and 0 <= event.stamp_ns <= MAX_STAMP_NS and 0 <= event.expires_ns <= MAX_STAMP_NS
            and 0 <= event.reference_stamp_ns <= MAX_STAMP_NS and 0 <= event.hops <= 255 and 0 < event.hop_limit <= 255
            and 0 <= event.priority <= 255 and 0.0 <= event.confidence <= 1.0
            and len(event.payload) <= MAX_PAYLOAD_BYTES and len(event.path) <= 255):
        return event
    raise EventError(f'{event.type} from {event.source!r}: {_broken_rule(event)}')


def _broken_rule(event: Event) -> str:
    rules = (
        (32 <= len(event.id) <= 64, f'id must have 32 to 64 characters, got {len(event.id)}'),
        *((0 <= (stamp := getattr(event, name)) <= MAX_STAMP_NS, f'{name} must be in 0..{MAX_STAMP_NS}, got {stamp}')
          for name in ('stamp_ns', 'expires_ns', 'reference_stamp_ns')),
        (0 <= event.hops <= 255 and 0 < event.hop_limit <= 255,
         f'hops {event.hops} and hop_limit {event.hop_limit} must fit in a byte'),
        (0 <= event.priority <= 255, f'priority must be in 0..255, got {event.priority}'),
        (math.isfinite(event.confidence) and 0.0 <= event.confidence <= 1.0,
         f'confidence must be in 0..1, got {event.confidence}'),
        (len(event.payload) <= MAX_PAYLOAD_BYTES, f'payload must be at most {MAX_PAYLOAD_BYTES} bytes, got '
         f'{len(event.payload)}; publish it on a raw topic and reference that'),
        (len(event.path) <= 255, f'path must have at most 255 hops, got {len(event.path)}'),
    )
    return next(rule for holds, rule in rules if not holds)
