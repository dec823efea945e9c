"""A real OTLP receiver for tests: it decodes what arrives over HTTP or gRPC and keeps the spans."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


class Received(NamedTuple):
    """A span as it came: ids in hex digits, the process that sent it, times in ns."""

    name: str
    trace_id: str
    span_id: str
    parent: str
    service: str
    pid: int
    begin_ns: int
    end_ns: int
    attributes: dict[str, Any]
    failed: bool
    state: str


class Receiver:
    """Keeps every span; `endpoint` is what OTEL_EXPORTER_OTLP_ENDPOINT should be."""

    def __init__(self) -> None:
        self.endpoint = ''
        self.requests = 0
        self._spans: list[Received] = []
        self._lock = threading.Lock()

    def spans(self) -> list[Received]:
        """All that came so far."""
        with self._lock:
            return list(self._spans)

    def take(self, request: Any) -> None:
        """Keeps the spans of one export."""
        spans = [_received(span, _plain(group.resource.attributes)) for group in request.resource_spans
                 for scope in group.scope_spans for span in scope.spans]
        with self._lock:
            self.requests += 1
            self._spans += spans


@contextmanager
def receiving(protocol: str = 'http/protobuf') -> Iterator[Receiver]:
    """A receiver on a free port of this machine until the end of the block."""
    receiver = Receiver()
    with _grpc(receiver) if protocol == 'grpc' else _http(receiver):
        yield receiver


@contextmanager
def _http(receiver: Receiver) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers['Content-Length']))
            known = self.path == '/v1/traces' and self.headers['Content-Type'] == 'application/x-protobuf'
            if known:
                receiver.take(trace_service_pb2.ExportTraceServiceRequest.FromString(body))
            answer = trace_service_pb2.ExportTraceServiceResponse().SerializeToString()
            self.send_response(200 if known else 404)
            self.send_header('Content-Type', 'application/x-protobuf')
            self.send_header('Content-Length', str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    receiver.endpoint = f'http://127.0.0.1:{server.server_port}'
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5.0)


@contextmanager
def _grpc(receiver: Receiver) -> Iterator[None]:
    import grpc

    class Service(trace_service_pb2_grpc.TraceServiceServicer):
        def Export(self, request: Any, context: Any) -> Any:
            receiver.take(request)
            return trace_service_pb2.ExportTraceServiceResponse()

    server = grpc.server(ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Service(), server)
    receiver.endpoint = f'http://127.0.0.1:{server.add_insecure_port("127.0.0.1:0")}'
    server.start()
    try:
        yield
    finally:
        server.stop(None).wait(5.0)


def _received(span: Any, resource: dict[str, Any]) -> Received:
    return Received(span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(),
                    resource['service.name'], resource['process.pid'], span.start_time_unix_nano,
                    span.end_time_unix_nano, _plain(span.attributes), span.status.code == 2, span.trace_state)


def _plain(attributes: Any) -> dict[str, Any]:
    return {item.key: getattr(item.value, item.value.WhichOneof('value')) for item in attributes}


if __name__ == '__main__':
    import sys
    with receiving() as serving:
        print(serving.endpoint, flush=True)
        sys.stdin.read()
