"""W3C trace context in and out of events (the door of OpenTelemetry's propagation)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import context, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()


def trace_headers() -> tuple[str, str]:
    """(traceparent, tracestate) for an event made now: a new span of the current trace, or of a new one."""
    parent = trace.get_current_span().get_span_context()
    trace_id = parent.trace_id if parent.is_valid else uuid.uuid4().int
    flags = parent.trace_flags if parent.is_valid else trace.TraceFlags.SAMPLED
    state = parent.trace_state.to_header() if parent.is_valid else ''
    return f'00-{trace_id:032x}-{uuid.uuid4().hex[:16]}-{flags:02x}', state


def child_headers(traceparent: str, tracestate: str) -> tuple[str, str]:
    """(traceparent, tracestate) for what an event with these headers causes."""
    with continued(traceparent, tracestate):
        return trace_headers()


@contextmanager
def continued(traceparent: str, tracestate: str = '') -> Iterator[None]:
    """While inside, everything belongs to the trace that the headers name; malformed ones start a new trace."""
    extracted = _PROPAGATOR.extract({'traceparent': traceparent, 'tracestate': tracestate}, context=context.Context())
    token = context.attach(extracted)
    try:
        yield
    finally:
        context.detach(token)


def trace_id(traceparent: str) -> str:
    """The 32 hex digits that name the trace; empty where the header is malformed."""
    parts = traceparent.split('-')
    return parts[1] if len(parts) == 4 and len(parts[1]) == 32 else ''
