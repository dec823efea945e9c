"""W3C trace context in and out, spans, sampling, and what a hostile header does: nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.core.event import Event
from loom.core.trace import (
    Span,
    cause,
    child_headers,
    continued,
    current_trace,
    handling,
    message_trace,
    published,
    record,
    trace_headers,
    trace_id,
)

W3C = re.compile(r'00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}')
PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
UNSAMPLED = PARENT[:-1] + '0'
MALFORMED = ['', '-', PARENT[:-1], PARENT + 'x', '00' + '-' * 50, '00-' + '0' * 32 + '-b7ad6b7169203331-01',
             '00-0af7651916cd43dd8448eb211c80319c-' + '0' * 16 + '-01', 'ff' + PARENT[2:], PARENT.replace('a', 'g'),
             'ä' * 55, '00-' + 'a' * 100_000, '\x00' * 55, PARENT + '\n', PARENT.upper()]


@pytest.fixture
def spans() -> Iterator[list[Span]]:
    """What this process records while the test runs."""
    kept: list[Span] = []
    record(kept.append)
    yield kept
    record(None)


def span_id(traceparent: str) -> str:
    return traceparent.split('-')[2]


def test_headers_follow_the_standard() -> None:
    first, second = trace_headers(), trace_headers()
    assert W3C.fullmatch(first[0]) and first[1] == '' and first[0] != second[0]


def test_an_event_made_inside_belongs_to_the_trace() -> None:
    with continued(PARENT, 'vendor=1,other=2'):
        event = Event.create('a', source='s', stamp_ns=0)
    assert trace_id(event.traceparent) == trace_id(PARENT) == '0af7651916cd43dd8448eb211c80319c'
    assert event.tracestate == 'vendor=1,other=2'
    assert trace_id(Event.create('a', source='s', stamp_ns=0).traceparent) != trace_id(PARENT)


@pytest.mark.parametrize('flags', ['00', '01'])
def test_the_sampling_decision_travels(flags: str) -> None:
    assert child_headers(PARENT[:-2] + flags, '')[0].endswith(f'-{flags}')


@pytest.mark.parametrize('header', MALFORMED)
def test_a_malformed_header_starts_a_new_trace(header: str) -> None:
    parent, state = child_headers(header, 'a=1')
    assert W3C.fullmatch(parent) and state == '' and trace_id(parent) != trace_id(PARENT)
    assert trace_id(header) == ''
    with continued(header):
        assert current_trace() not in ('', trace_id(PARENT)) and trace_headers() == trace_headers()


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_header_can_break_it(traceparent: str, tracestate: str) -> None:
    assert W3C.fullmatch(child_headers(traceparent, tracestate)[0])
    assert len(trace_id(traceparent)) in (0, 32)


@pytest.mark.parametrize('state', ['a=\n', 'ä=1', 'a=' + 'x' * 600])
def test_a_state_that_no_header_can_carry_is_left_out(state: str) -> None:
    assert child_headers(PARENT, state) == (PARENT, '')


def test_a_nested_trace_does_not_leak_out() -> None:
    with continued(PARENT):
        with pytest.raises(ValueError, match='inner'), continued(''):
            assert trace_id(trace_headers()[0]) != trace_id(PARENT)
            raise ValueError('inner')
        assert trace_id(trace_headers()[0]) == trace_id(PARENT)
    assert current_trace() == ''


def test_handling_a_sampled_message_is_a_span_and_the_parent_of_what_it_causes(spans: list[Span]) -> None:
    received = Event('a', 's', 0, traceparent=PARENT)
    with handling('loom.salience.look', PARENT, 'v=1', 'camera', received):
        sent = Event.create('a', source='s', stamp_ns=0)
        child = received.child('b', source='s', stamp_ns=0)
        assert cause() is received
    assert cause() is None
    span, = spans
    assert (span.name, span.parent, span.about, span.tracestate, span.error) == (
        'loom.salience.look', span_id(PARENT), 'camera', 'v=1', '')
    assert sent.traceparent == child.traceparent == span.traceparent
    assert trace_id(span.traceparent) == trace_id(PARENT) and span_id(span.traceparent) != span_id(PARENT)
    assert 0 < span.begin_ns <= span.end_ns


def test_what_an_event_causes_outside_of_its_handler_has_its_parent(spans: list[Span]) -> None:
    with continued(''):
        assert Event('a', 's', 0, traceparent=PARENT).child('b', source='s', stamp_ns=0).traceparent == PARENT


@pytest.mark.parametrize('sampled', [True, False])
def test_an_unsampled_message_is_only_passed_on(spans: list[Span], sampled: bool) -> None:
    with handling('loom.a.b', PARENT if sampled else UNSAMPLED):
        inside = trace_headers()[0]
    assert len(spans) == sampled and (inside == UNSAMPLED) != sampled


def test_where_nothing_is_recorded_a_sampled_trace_is_passed_on_unchanged() -> None:
    with handling('loom.a.b', PARENT):
        assert trace_headers() == (PARENT, '')


def test_errors_are_in_the_span(spans: list[Span]) -> None:
    with pytest.raises(ValueError, match='x'), handling('loom.a.raise', PARENT):
        raise ValueError('x')
    with handling('loom.a.deal', PARENT) as _, handling('loom.a.inner', PARENT) as _:
        pass
    dealt = handling('loom.a.dealt', PARENT)
    with dealt:
        dealt.failed(ValueError('y'))
    assert [span.error for span in spans] == ["ValueError('x')", '', '', "ValueError('y')"]


def test_a_trace_that_begins_here_has_a_root(spans: list[Span]) -> None:
    event = Event.create('a', source='microphone', stamp_ns=0)
    with handling('loom.clock.tick', ''):
        pass
    assert [(span.name, span.parent) for span in spans] == [('loom.microphone.create', ''), ('loom.clock.tick', '')]
    assert spans[0].traceparent == event.traceparent


def test_a_standard_message_has_the_same_trace_on_both_sides(spans: list[Span]) -> None:
    published('loom.camera.publish', '/camera', 123, 'frame', 5)
    with handling('loom.salience.look', message_trace('/camera', 123, 'frame')):
        pass
    root, look = spans
    assert root.parent == '' and root.begin_ns == 5 and look.parent == span_id(root.traceparent)
    assert W3C.fullmatch(root.traceparent) and trace_id(root.traceparent) == trace_id(look.traceparent)
    others = {message_trace(*which) for which in (('/camera', 124, 'frame'), ('/cam', 123, 'frame'),
                                                  ('/camera', 123, 'rear'), ('/camera1', 23, 'frame'))}
    assert len({trace_id(header) for header in others | {root.traceparent}}) == 5


def test_every_process_samples_alike() -> None:
    headers = [message_trace('/camera', stamp, 'frame') for stamp in range(2000)]
    assert all(header.endswith('01') for header in headers)
    record(None, 0.25)
    kept = [message_trace('/camera', stamp, 'frame') for stamp in range(2000)]
    again = [message_trace('/camera', stamp, 'frame') for stamp in range(2000)]
    record(None, 0.0)
    none = [trace_headers()[0] for _ in range(100)]
    record(None)
    assert kept == again and 400 < sum(header.endswith('01') for header in kept) < 600
    assert all(header.endswith('00') for header in none)
    # The rule of OpenTelemetry's TraceIdRatioBased, so that other programs agree.
    assert all((int(trace_id(header)[16:], 16) < 1 << 62) == header.endswith('01') for header in kept)


def test_tasks_go_on_in_the_trace_they_were_begun_in(spans: list[Span]) -> None:
    async def later() -> str:
        await asyncio.sleep(0)
        return current_trace()

    async def work() -> tuple[str, str]:
        with handling('loom.a.b', PARENT):
            task = asyncio.create_task(later())
        with handling('loom.a.c', ''):
            return await task, await later()
    first, second = asyncio.run(work())
    assert first == trace_id(PARENT) != second
