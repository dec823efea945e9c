"""Spans on their way to a collector, without ever delaying the robot.

The standard variables say where to: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL (http/protobuf or grpc)
and OTEL_TRACES_SAMPLER_ARG, the share of new traces that is sampled. Without an endpoint nothing is loaded.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter, deque
from collections.abc import Mapping
from typing import TYPE_CHECKING

from loom.core.errors import ConfigError, nearest
from loom.core.trace import Span, record

if TYPE_CHECKING:
    from loom.observe.otlp import Exporter

PROTOCOLS = ['http/protobuf', 'grpc']
MAX_WAITING = 8192
BATCH = 512
PERIOD_S = 0.5
FLUSH_S = 0.7
_LOG = logging.getLogger('loom.telemetry')


class Telemetry:
    """Exports the spans of one process from a thread of its own; what does not fit the queue is dropped and counted."""

    def __init__(self, protocol: str) -> None:
        self.counts: Counter[str] = Counter()
        self._protocol = protocol
        self._waiting: deque[Span] = deque()
        self._ending = threading.Event()
        self._exporter: Exporter | None = None
        self._reachable = True
        self._thread = threading.Thread(target=self._work, name='loom-telemetry', daemon=True)
        self._thread.start()

    def take(self, span: Span) -> None:
        """Queues a span; never blocks."""
        if len(self._waiting) < MAX_WAITING:
            self._waiting.append(span)
        else:
            self.counts['dropped'] += 1

    def close(self, within_s: float = FLUSH_S) -> None:
        """Sends what waits, for at most `within_s` seconds."""
        record(None)
        self._ending.set()
        self._thread.join(within_s)
        if self._thread.is_alive() and self._exporter is not None:
            self._exporter.shutdown()
        if lost := len(self._waiting) + self.counts['dropped'] + self.counts['failed']:
            _LOG.warning('%d spans did not reach the collector, %d did', lost, self.counts['exported'])

    def _work(self) -> None:
        from loom.observe.otlp import Exporter
        self._exporter = Exporter(self._protocol)
        while not self._ending.wait(PERIOD_S):
            self._send()
        self._send()
        self._exporter.shutdown()

    def _send(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            assert self._exporter is not None
            before, self._reachable = self._reachable, self._exporter.export(batch)
            self.counts['exported' if self._reachable else 'failed'] += len(batch)
            if before != self._reachable:
                _LOG.warning('the collector of traces %s', 'answers' if self._reachable else 'does not answer')
            if not self._reachable and self._ending.is_set():
                return


def start_telemetry(environment: Mapping[str, str] = os.environ) -> Telemetry | None:
    """Begins to export where the environment names an endpoint; ConfigError where it is wrong."""
    ratio = _ratio(environment)
    endpoint = environment.get('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') or environment.get('OTEL_EXPORTER_OTLP_ENDPOINT')
    if not endpoint or environment.get('OTEL_SDK_DISABLED', '').lower() == 'true':
        record(None, ratio)
        return None
    protocol = environment.get('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') or environment.get(
        'OTEL_EXPORTER_OTLP_PROTOCOL') or PROTOCOLS[0]
    if protocol not in PROTOCOLS:
        raise ConfigError(f'OTEL_EXPORTER_OTLP_PROTOCOL must be one of {PROTOCOLS}, got {protocol!r}'
                          f'{nearest(protocol, PROTOCOLS)}')
    telemetry = Telemetry(protocol)
    record(telemetry.take, ratio)
    return telemetry


def _ratio(environment: Mapping[str, str]) -> float:
    off = environment.get('OTEL_TRACES_SAMPLER', '').endswith('always_off')
    text = '0' if off else environment.get('OTEL_TRACES_SAMPLER_ARG') or '1'
    try:
        ratio = float(text)
    except ValueError:
        ratio = -1.0
    if not 0 <= ratio <= 1:
        raise ConfigError(f'OTEL_TRACES_SAMPLER_ARG must be from 0 to 1, got {text!r}')
    return ratio
