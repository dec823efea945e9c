"""Spans as OTLP, and OpenTelemetry's exporters to send them (the door of OpenTelemetry; loading takes 0.3 s)."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, SpanFlags, Status
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.sdk.resources import Resource as Attributes
from opentelemetry.sdk.trace.export import SpanExportResult

from loom.core.trace import Span

GRPC = 'grpc'
_SAMPLED = 1
_ROOT_FLAGS = SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK | _SAMPLED
_CHILD_FLAGS = SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK | _ROOT_FLAGS
_CONSUMER, _PRODUCER = SpanMessage.SPAN_KIND_CONSUMER, SpanMessage.SPAN_KIND_PRODUCER


class Exporter:
    """Sends spans over one of the protocols, as the standard OTEL_EXPORTER_OTLP_* variables say."""

    def __init__(self, protocol: str) -> None:
        # What the exporters say of each attempt is said once, by those who see whether it succeeded.
        logging.getLogger('opentelemetry').setLevel(logging.CRITICAL)
        self._exporter = _over_grpc() if protocol == GRPC else _over_http()

    def export(self, spans: Sequence[Span]) -> bool:
        """Whether the collector took them; waits for it as long as OTEL_EXPORTER_OTLP_TIMEOUT allows."""
        return bool(self._exporter.export(spans) is SpanExportResult.SUCCESS)

    def shutdown(self) -> None:
        """Ends also an export that waits for an answer; from any thread."""
        self._exporter.shutdown()


def request_of(spans: Sequence[Span]) -> ExportTraceServiceRequest:
    """The spans as they travel; each stage is a service of its own."""
    services: dict[str, list[SpanMessage]] = {}
    for span in spans:
        services.setdefault(span.name.split('.')[1], []).append(_message(span))
    return ExportTraceServiceRequest(resource_spans=[
        ResourceSpans(resource=_resource(service), scope_spans=[ScopeSpans(spans=messages)])
        for service, messages in services.items()])


def _message(span: Span) -> SpanMessage:
    header = span.traceparent
    return SpanMessage(
        trace_id=bytes.fromhex(header[3:35]), span_id=bytes.fromhex(header[36:52]), trace_state=span.tracestate,
        parent_span_id=bytes.fromhex(span.parent), flags=_CHILD_FLAGS if span.parent else _ROOT_FLAGS, name=span.name,
        kind=_CONSUMER if span.parent else _PRODUCER, start_time_unix_nano=span.begin_ns,
        end_time_unix_nano=span.end_ns, attributes=_about(span.about) if span.about else None,
        status=Status(code=Status.STATUS_CODE_ERROR, message=span.error) if span.error else None)


@lru_cache(maxsize=1024)
def _about(text: str) -> tuple[KeyValue, ...]:
    return (KeyValue(key='loom.about', value=AnyValue(string_value=text)),)


@lru_cache(maxsize=256)
def _resource(service: str) -> Resource:
    known = Attributes.create({'service.name': service, 'service.namespace': 'loom', 'process.pid': os.getpid()})
    values = {name: AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=str(value))
              for name, value in known.attributes.items()}
    return Resource(attributes=[KeyValue(key=name, value=value) for name, value in values.items()])


# Both exporters are given spans that are not the SDK's: making those and encoding them takes six times longer.


def _over_grpc() -> Any:
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    class GrpcExporter(OTLPSpanExporter):
        def _translate_data(self, data: Any) -> Any:
            return request_of(data)
    return GrpcExporter()


def _over_http() -> Any:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    class HttpExporter(OTLPSpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            done = self._client.export(request_of(spans).SerializeToString()).success
            return SpanExportResult.SUCCESS if done else SpanExportResult.FAILURE
    return HttpExporter()
