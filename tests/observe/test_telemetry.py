"""Spans reach a real receiver over both protocols; a dead or slow one costs nothing but its spans."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from otlp_receiver import receiving

from loom.core.errors import ConfigError
from loom.core.trace import Span, handling, record, trace_headers, trace_id
from loom.observe import telemetry as module
from loom.observe.telemetry import MAX_WAITING, Telemetry, start_telemetry

Until = Callable[..., None]
PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
SPAN = Span('loom.test.work', PARENT, '', '', 1, 2)


@pytest.fixture(autouse=True)
def _nothing_is_recorded_afterwards() -> Iterator[None]:
    yield
    record(None)


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Telemetry]]:
    """Starts telemetry with these variables in the environment, and ends it."""
    begun: list[Telemetry] = []

    def begin(**variables: str) -> Telemetry:
        for name, value in variables.items():
            monkeypatch.setenv(f'OTEL_{name}', value)
        telemetry = start_telemetry()
        assert telemetry is not None
        begun.append(telemetry)
        return telemetry
    yield begin
    for telemetry in begun:
        telemetry.close(0.1)


@pytest.mark.parametrize('protocol', ['http/protobuf', 'grpc'])
def test_spans_reach_a_collector(start: Callable[..., Telemetry], protocol: str) -> None:
    with receiving(protocol) as receiver:
        telemetry = start(EXPORTER_OTLP_ENDPOINT=receiver.endpoint, EXPORTER_OTLP_PROTOCOL=protocol)
        with handling('loom.salience.look', PARENT, 'v=1', 'camera'):
            inside = trace_headers()[0]
        broken = handling('loom.guard.handle', inside)
        with broken:
            broken.failed(ValueError('dark'))
        telemetry.close(10.0)
        look, guard = sorted(receiver.spans(), key=lambda span: span.begin_ns)
    assert (look.name, look.service, look.pid) == ('loom.salience.look', 'salience', os.getpid())
    assert look.trace_id == guard.trace_id == trace_id(PARENT)
    assert (look.parent, guard.parent) == (PARENT.split('-')[2], look.span_id) and look.span_id in inside
    assert look.attributes == {'loom.about': 'camera'} and (look.failed, guard.failed) == (False, True)
    assert look.state == 'v=1' and 0 < look.begin_ns <= look.end_ns
    assert telemetry.counts == {'exported': 2}


def test_what_waits_is_sent_at_the_end(start: Callable[..., Telemetry], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, 'PERIOD_S', 1000.0)
    with receiving() as receiver:
        telemetry = start(EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
        for _ in range(3000):
            telemetry.take(SPAN)
        telemetry.close(10.0)
        assert len(receiver.spans()) == 3000 and receiver.requests > 1


@pytest.mark.parametrize('protocol', ['http/protobuf', 'grpc'])
def test_a_dead_collector_costs_only_its_spans(start: Callable[..., Telemetry], until: Until, protocol: str,
                                               caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        telemetry = start(EXPORTER_OTLP_ENDPOINT=f'http://127.0.0.1:{taken.getsockname()[1]}',
                          EXPORTER_OTLP_PROTOCOL=protocol, EXPORTER_OTLP_TIMEOUT='1')
        telemetry.take(SPAN)
        until(lambda: telemetry.counts['failed'] == 1)
        telemetry.take(SPAN)
        telemetry.close(5.0)
    assert 'the collector of traces does not answer' in caplog.text
    assert '2 spans did not reach the collector, 0 did' in caplog.text


def test_a_slow_collector_never_holds_anybody_up(start: Callable[..., Telemetry], until: Until) -> None:
    with socket.create_server(('127.0.0.1', 0)) as mute:
        telemetry = start(EXPORTER_OTLP_ENDPOINT=f'http://127.0.0.1:{mute.getsockname()[1]}')
        telemetry.take(SPAN)
        connection, _ = mute.accept()
        # It has taken the request and never answers: the queue fills, and is bounded.
        for _ in range(MAX_WAITING + 5):
            telemetry.take(SPAN)
        assert telemetry.counts['dropped'] == 5
        begin = time.monotonic()
        telemetry.close(0.2)
        assert time.monotonic() - begin < 2.0
        connection.close()


def test_without_an_endpoint_nothing_is_loaded_and_nothing_is_recorded() -> None:
    code = ('import sys; from loom.observe.telemetry import start_telemetry\n'
            'assert start_telemetry({}) is None\n'
            'assert start_telemetry({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"}) is None\n'
            'import threading; assert threading.active_count() == 1\n'
            'assert not [name for name in sys.modules if name.startswith(("opentelemetry", "google", "grpc"))]')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(('variables', 'sampled'), [
    ({}, True), ({'OTEL_TRACES_SAMPLER_ARG': '0'}, False), ({'OTEL_TRACES_SAMPLER_ARG': '1.0'}, True),
    ({'OTEL_TRACES_SAMPLER': 'parentbased_always_off'}, False)])
def test_the_environment_says_how_much_is_sampled(variables: dict[str, str], sampled: bool) -> None:
    start_telemetry(variables)
    assert trace_headers()[0].endswith('01') == sampled


@pytest.mark.parametrize(('name', 'value'), [
    ('OTEL_TRACES_SAMPLER_ARG', 'much'), ('OTEL_TRACES_SAMPLER_ARG', '2'), ('OTEL_TRACES_SAMPLER_ARG', 'nan'),
    ('OTEL_EXPORTER_OTLP_PROTOCOL', 'http/json')])
def test_a_wrong_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} must be .*got '{value}'"):
        start_telemetry({'OTEL_EXPORTER_OTLP_ENDPOINT': 'http://127.0.0.1:1', name: value})
    assert not [thread for thread in threading.enumerate() if thread.name == 'loom-telemetry' and thread.is_alive()]
