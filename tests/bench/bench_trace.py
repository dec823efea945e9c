"""What tracing costs a hop, and whether the parts of sensor-to-actuator chains make up the whole."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from robot import running_robot
from row import Row

from loom.core.event import Event
from loom.core.ledger import parts_us, quantile
from loom.core.trace import continued, handling
from loom.core.wire import decode, encode
from loom.observe.telemetry import Telemetry, start_telemetry

TESTS = Path(__file__).parents[1]
DOMAIN = 74
HOPS = 4000
ROUNDS = 15
CHAINS = 100
CHAINS_S = 180.0
TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0'
DATA = {'label': 'red ball', 'distance_m': 1.25}


def measure() -> list[Row]:
    """CPU that a sampled trace adds to a hop, its export included, and the ledger of a robot that reacts."""
    return [*hops(), *ledger()]


def hops() -> list[Row]:
    """Interleaved rounds of hops: outside of any trace, in an unsampled and in a sampled one."""
    receiver = subprocess.Popen([sys.executable, TESTS / 'otlp_receiver.py'], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)
    assert receiver.stdout is not None and receiver.stdin is not None
    # The exporter looks into the environment itself.
    os.environ['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.stdout.readline().strip()
    telemetry = start_telemetry()
    assert telemetry is not None
    try:
        rounds = [[cost(telemetry, handle) for handle in (untraced, passed_on, sampled)] for _ in range(ROUNDS + 2)]
    finally:
        telemetry.close()
        del os.environ['OTEL_EXPORTER_OTLP_ENDPOINT']
        receiver.stdin.close()
        receiver.wait(10.0)
    bare, unsampled, whole, thread = ([row[i][j] for row in rounds[2:]] for i, j in ((0, 0), (1, 0), (2, 0), (2, 1)))
    return [Row('trace.hop_us', difference(whole, unsampled), 'us', '<= 25'),
            Row('trace.hop_handler_us', difference(thread, unsampled), 'us'),
            Row('trace.unsampled_hop_us', difference(unsampled, bare), 'us')]


def untraced(event: Event) -> Any:
    return nullcontext()


def passed_on(event: Event) -> Any:
    return handling('loom.bench.handle', event.traceparent, event.tracestate, event.type, event)


def sampled(event: Event) -> Any:
    return handling('loom.bench.handle', event.traceparent[:-1] + '1', event.tracestate, event.type, event)


def cost(telemetry: Telemetry, handle: Callable[[Event], Any]) -> tuple[float, float]:
    """CPU microseconds of a hop: of the whole process until all is exported, and of the handling thread."""
    with continued(TRACE + '0'):
        data = encode(Event.create('camera.front.object', DATA, source='bench', stamp_ns=1))
    wanted = telemetry.counts['exported'] + (HOPS if handle is sampled else 0)
    process_s, thread_s = time.process_time(), time.thread_time()
    for _ in range(HOPS):
        event = decode(data).event.arrived(1, 2)
        with handle(event):
            encode(event.child('motion.turn', DATA, source='bench', stamp_ns=2).sending(3))
    thread_s = time.thread_time() - thread_s
    while telemetry.counts['exported'] < wanted:
        time.sleep(0.05)
    return (time.process_time() - process_s) / HOPS * 1e6, thread_s / HOPS * 1e6


def difference(more: list[float], less: list[float]) -> float:
    return statistics.median(a - b for a, b in zip(more, less))


def ledger() -> list[Row]:
    """The chains of an agent that turns away from what it sees, as the safety kernel reports them."""
    from loom_msgs.msg import SafetyDecision

    from loom.core.delivery import STANDARD
    from loom.ros.client import wait_for
    from loom.ros.motion import path_of
    from loom.ros.qos import subscription_profile
    os.environ.update(LOOM_AGENT_HOST_AGENTS="['startled:startled']", LOOM_SALIENCE_REPEAT_S='1.0',
                      PYTHONPATH=f'{TESTS / "launch"}:{os.environ.get("PYTHONPATH", "")}')
    whole_us: list[float] = []
    errors_pct: list[float] = []

    def decided(message: SafetyDecision) -> None:
        if message.origin_ns:
            whole_us.append((message.sent_ns - message.origin_ns) / 1e3)
            errors_pct.append(abs(parts_us(path_of(message)) - whole_us[-1]) / whole_us[-1] * 100)
    with running_robot(DOMAIN) as (robot, _, _):
        robot.node.create_subscription(SafetyDecision, 'loom/motion/decision', decided, subscription_profile(STANDARD))
        wait_for(lambda: len(errors_pct) >= CHAINS, CHAINS_S, f'fewer than {CHAINS} chains ended')
    return [Row('trace.sum_error_pct', quantile(errors_pct, 0.95), '%', '<= 5'),
            Row('trace.picture_to_cmd_vel_p50_ms', quantile(whole_us, 0.5) / 1e3, 'ms'),
            Row('trace.picture_to_cmd_vel_p99_ms', quantile(whole_us, 0.99) / 1e3, 'ms')]
