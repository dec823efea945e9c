"""Events as JSON for programs outside ROS, and who may send them."""

from __future__ import annotations

import hmac
import ipaddress
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from loom.core.errors import ConfigError, EventError
from loom.core.event import Event
from loom.core.patterns import check_pattern, check_type, matches

MAX_BYTES = 64 * 1024
MAX_PATTERNS = 8
FIELDS: Mapping[str, type | tuple[type, ...]] = {
    'type': str, 'data': object, 'thread_id': str, 'correlation_id': str, 'reply_to': str, 'priority': int,
    'confidence': (int, float), 'tags': list, 'traceparent': str, 'tracestate': str}


def event_from(body: bytes | str, *, source: str, stamp_ns: int, allowed: Sequence[str] = ('**',)) -> Event:
    """The event in {"type": ..., "data": ..., ...}; EventError names the rule it breaks."""
    if len(body) > MAX_BYTES:
        raise EventError(f'an event must have at most {MAX_BYTES} bytes, got {len(body)}')
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise EventError(f'an event must be JSON like {{"type": "text.typed", "data": {{}}}}: {error}') from None
    if not isinstance(fields, dict) or not isinstance(fields.get('type'), str):
        raise EventError('an event must be an object with a "type", like {"type": "text.typed", "data": {}}')
    for name, value in fields.items():
        if name not in FIELDS or not isinstance(value, FIELDS[name]) or isinstance(value, bool) and name != 'data':
            raise EventError(f'{name[:40]!r} must be one of {", ".join(FIELDS)} and of its type, got {value!r:.80}')
    event_type = check_type(fields.pop('type'))
    if not any(matches(pattern, event_type) for pattern in allowed):
        raise EventError(f'type must match one of {", ".join(allowed)} to come in from the network, got {event_type!r}')
    tags = tuple(str(tag) for tag in fields.pop('tags', ()))
    return Event.create(event_type, fields.pop('data', None), source=source, sender=source, stamp_ns=stamp_ns,
                        tags=tags, **fields)


def event_to_json(event: Event) -> str:
    """The event as one line of JSON; a payload that is not JSON is left out."""
    try:
        data = event.data
    except EventError:
        data = None
    return json.dumps({
        'id': event.id, 'type': event.type, 'source': event.source, 'sender': event.sender, 'stamp_ns': event.stamp_ns,
        'data': data, 'thread_id': event.thread_id, 'correlation_id': event.correlation_id, 'hops': event.hops,
        'priority': event.priority, 'confidence': event.confidence, 'tags': event.tags,
        'traceparent': event.traceparent, 'reference_topic': event.reference_topic,
        'reference_stamp_ns': event.reference_stamp_ns}, separators=(',', ':'))


def patterns_from(text: str) -> list[str]:
    """The patterns in a list with commas; EventError where one is wrong or there are over 8."""
    patterns = list(dict.fromkeys(p.strip() for p in text.split(',') if p.strip())) or ['**']
    if len(patterns) > MAX_PATTERNS:
        raise EventError(f'types must be at most {MAX_PATTERNS} patterns, got {len(patterns)}')
    return [check_pattern(pattern) for pattern in patterns]


def loopback(host: str) -> str:
    """The host itself; ConfigError unless it is this machine only."""
    if not is_loopback(host):
        raise ConfigError(f'host must be loopback (127.0.0.1, ::1 or localhost), got {host!r}; put a proxy with '
                          'authentication before it to reach it from elsewhere')
    return host


def is_loopback(host: str) -> bool:
    """Whether the name or address is this machine's own."""
    try:
        return host == 'localhost' or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def foreign(header: str) -> bool:
    """Whether a Host or Origin header names another place than this machine (DNS rebinding, foreign web pages)."""
    if not header:
        return False
    try:
        host = urlsplit(header if '//' in header else f'//{header}').hostname
    except ValueError:
        return True
    return host is None or not is_loopback(host)


def may_enter(token: str, authorization: str) -> bool:
    """Whether the Authorization header holds the token; compared in constant time. No token: everyone may."""
    return not token or hmac.compare_digest(authorization.encode(), f'Bearer {token}'.encode())


@dataclass
class Allowance:
    """A token bucket: `rate_hz` on average, a burst of one second."""

    rate_hz: float
    tokens: float = -1.0
    last_s: float = 0.0

    def take(self, now_s: float) -> bool:
        """Whether one more is allowed at `now_s`."""
        full = max(1.0, self.rate_hz)
        earned = (now_s - self.last_s) * self.rate_hz
        self.tokens = full if self.tokens < 0 else min(full, self.tokens + max(0.0, earned))
        self.last_s = now_s
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True


def message(error: Exception | str) -> dict[str, Any]:
    """The body of a refusal."""
    return {'error': str(error)}
