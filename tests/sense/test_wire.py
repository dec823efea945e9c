"""Events as JSON, and who may send them."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.core.errors import ConfigError, EventError
from loom.core.event import Event
from loom.sense.wire import Allowance, event_from, event_to_json, foreign, loopback, may_enter, patterns_from

GOOD = {'type': 'text.typed', 'data': {'text': 'go'}, 'thread_id': 't', 'priority': 7, 'confidence': 0.5, 'tags': ['x']}


def test_an_event_comes_in_and_goes_out() -> None:
    event = event_from(json.dumps(GOOD), source='door', stamp_ns=9)
    assert (event.type, event.data, event.source, event.stamp_ns) == ('text.typed', {'text': 'go'}, 'door', 9)
    out = json.loads(event_to_json(event))
    assert {name: out[name] for name in GOOD} == GOOD and out['id'] == event.id


@pytest.mark.parametrize(('body', 'reason'), [
    ('', 'must be JSON'), ('[1]', 'an object'), ('{}', 'with a "type"'), ('{"type": 5}', 'with a "type"'),
    ('{"type": "Bad Type"}', 'lower_snake'), ('{"type": "a", "colour": 1}', "'colour' must be one of"),
    ('{"type": "a", "priority": "high"}', "'priority' must be"), ('{"type": "a", "priority": true}', "'priority'"),
    ('{"type": "a", "priority": 256}', r'0\.\.255'), ('{"type": "a", "confidence": 2}', r'0\.\.1'),
    ('{"type": "a", "data": NaN}', 'plain JSON'), ('x' * 65537, 'at most 65536 bytes')])
def test_bad_events_are_refused_with_the_rule(body: str, reason: str) -> None:
    with pytest.raises(EventError, match=reason):
        event_from(body, source='door', stamp_ns=0)


def test_only_allowed_types_come_in() -> None:
    with pytest.raises(EventError, match=r"must match one of text\.\*"):
        event_from('{"type": "motion.bump"}', source='door', stamp_ns=0, allowed=('text.*',))


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_whatever_comes_is_an_event_or_an_error(body: bytes | str) -> None:
    try:
        event_from(body, source='door', stamp_ns=0)
    except EventError:
        pass


def test_a_payload_that_is_not_json_is_left_out() -> None:
    event = Event('raw.data', 'x', 0, b'\xff', 'application/octet-stream')
    assert json.loads(event_to_json(event))['data'] is None


def test_patterns() -> None:
    assert patterns_from('') == ['**'] and patterns_from(' a.*, b.** ,a.*') == ['a.*', 'b.**']
    for bad in ('A', 'a..b', ','.join('abcdefghi')):
        with pytest.raises(EventError):
            patterns_from(bad)


@pytest.mark.parametrize('host', ['127.0.0.1', '127.8.8.8', '::1', 'localhost'])
def test_loopback_hosts(host: str) -> None:
    assert loopback(host) == host


@pytest.mark.parametrize('host', ['', '0.0.0.0', '::', '192.168.1.2', 'example.org', 'localhost.example.org'])
def test_other_hosts_are_refused(host: str) -> None:
    with pytest.raises(ConfigError, match='must be loopback'):
        loopback(host)


@pytest.mark.parametrize(('header', 'expected'), [
    ('', False), ('http://localhost:8080', False), ('http://127.0.0.1', False), ('http://[::1]:3', False),
    ('localhost:8770', False), ('127.0.0.1:8770', False), ('null', True), ('http://evil.example', True),
    ('evil.example:8770', True), ('http://localhost.evil.example', True), ('http://[', True), ('file://', True)])
def test_pages_from_elsewhere_are_foreign(header: str, expected: bool) -> None:
    assert foreign(header) is expected


def test_the_token() -> None:
    assert may_enter('', '') and may_enter('secret', 'Bearer secret')
    assert not any(may_enter('secret', header) for header in ('', 'secret', 'Bearer', 'Bearer secrets', 'Bearer é'))


@given(st.lists(st.floats(0, 0.2), max_size=300), st.floats(1, 50))
def test_no_burst_beats_the_rate(gaps: list[float], rate_hz: float) -> None:
    allowance, now_s, taken = Allowance(rate_hz), 100.0, 0
    for gap in gaps:
        now_s += gap
        taken += allowance.take(now_s)
    assert taken <= rate_hz * (1 + sum(gaps)) + 1


@given(st.text(string.printable, max_size=60))
def test_no_header_breaks_the_door(header: str) -> None:
    foreign(header)
    may_enter('secret', header)
