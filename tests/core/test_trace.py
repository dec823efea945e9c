"""W3C trace context in and out, and what a hostile header does: nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.core.event import Event
from loom.core.trace import child_headers, continued, trace_headers, trace_id

W3C = re.compile(r'00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}')
PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
MALFORMED = ['', '-', PARENT[:-1], PARENT + 'x', '00' + '-' * 50, '00-' + '0' * 32 + '-b7ad6b7169203331-01',
             '00-0af7651916cd43dd8448eb211c80319c-' + '0' * 16 + '-01', 'ff' + PARENT[2:], PARENT.replace('a', 'g'),
             'ä' * 55, '00-' + 'a' * 100_000, '\x00' * 55]


def test_headers_follow_the_standard() -> None:
    first, second = trace_headers(), trace_headers()
    assert W3C.fullmatch(first[0]) and first[1] == '' and first[0] != second[0]


def test_an_event_made_inside_belongs_to_the_trace() -> None:
    with continued(PARENT, 'vendor=1,other=2'):
        event = Event.create('a', source='s', stamp_ns=0)
    assert trace_id(event.traceparent) == trace_id(PARENT)
    assert event.traceparent.split('-')[2] != PARENT.split('-')[2]
    assert event.tracestate == 'vendor=1,other=2'
    assert trace_id(Event.create('a', source='s', stamp_ns=0).traceparent) != trace_id(PARENT)


@pytest.mark.parametrize('flags', ['00', '01'])
def test_the_sampling_decision_travels(flags: str) -> None:
    assert child_headers(PARENT[:-2] + flags, '')[0].endswith(f'-{flags}')


@pytest.mark.parametrize('header', MALFORMED)
def test_a_malformed_header_starts_a_new_trace(header: str) -> None:
    parent, state = child_headers(header, 'a=1')
    assert W3C.fullmatch(parent) and state == '' and trace_id(parent) != trace_id(PARENT)


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_header_can_break_it(traceparent: str, tracestate: str) -> None:
    assert W3C.fullmatch(child_headers(traceparent, tracestate)[0])
    assert len(trace_id(traceparent)) in (0, 32)


def test_a_nested_trace_does_not_leak_out() -> None:
    with continued(PARENT):
        with pytest.raises(ValueError, match='inner'), continued(''):
            assert trace_id(trace_headers()[0]) != trace_id(PARENT)
            raise ValueError('inner')
        assert trace_id(trace_headers()[0]) == trace_id(PARENT)
