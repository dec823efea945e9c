"""One trace from a picture to cmd_vel through the processes of a launched robot, and the ledger of the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from otlp_receiver import Received, Receiver, receiving

HERE = Path(__file__).resolve().parent
WAY = ['loom.camera.publish', 'loom.salience.look', 'loom.startled.handle', 'loom.action_broker.invoke',
       'loom.startled.shy_away', 'loom.safety.decide', 'loom.cmd_vel.publish']
STAGES = ('salience', 'startled', 'action_broker', 'startled', 'safety')
CHAINS = 10
TRACE_S = 60.0


class Traced(NamedTuple):
    """What a launched robot that exports its spans left to look at."""

    receiver: Receiver
    decisions: list[Any]
    latencies: dict[str, Any]
    output: Path


@pytest.fixture(scope='module')
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    """A robot with one agent that reacts to what it sees, a receiver of its spans, and an onlooker."""
    from loom_msgs.msg import SafetyDecision

    from loom.core.delivery import STANDARD
    from loom.ros.latency import hear_latency
    from loom.ros.launched import launched_robot
    from loom.ros.qos import subscription_profile
    output = tmp_path_factory.mktemp('robot') / 'output'
    decisions: list[Any] = []
    with pytest.MonkeyPatch.context() as patch, receiving() as receiver, output.open('wb') as file:
        for name, value in {'LOOM_AGENT_HOST_AGENTS': "['startled:startled']", 'LOOM_SALIENCE_REPEAT_S': '1.0',
                            'PYTHONPATH': f'{HERE}:{os.environ.get("PYTHONPATH", "")}',
                            'OTEL_EXPORTER_OTLP_ENDPOINT': receiver.endpoint}.items():
            patch.setenv(name, value)
        with launched_robot(output=file) as robot:
            node = robot.client.node
            node.create_subscription(SafetyDecision, 'loom/motion/decision', decisions.append,
                                     subscription_profile(STANDARD))
            latencies = hear_latency(node)
            try:
                robot.wait_active(90.0)
            except Exception:
                pytest.fail(output.read_text(errors='replace')[-5000:])
            yield Traced(receiver, decisions, latencies, output)


def way_of(spans: list[Received], last: Received) -> list[Received]:
    """The spans from the root of a trace to `last`, by their parents."""
    known = {span.span_id: span for span in spans if span.trace_id == last.trace_id}
    way = [last]
    while way[0].parent in known:
        way.insert(0, known[way[0].parent])
    return way


def whole_ways(receiver: Receiver) -> list[list[Received]]:
    spans = receiver.spans()
    ways = [way_of(spans, span) for span in spans if span.name == WAY[-1]]
    return [way for way in ways if [span.name for span in way] == WAY]


def test_one_trace_leads_from_the_camera_to_cmd_vel(traced: Traced, until: Callable[..., None]) -> None:
    until(lambda: whole_ways(traced.receiver), 'no whole trace came', TRACE_S)
    way = whole_ways(traced.receiver)[0]
    assert len({span.pid for span in way}) >= 4
    assert way[0].parent == '' and way[0].attributes['loom.about'] == '/camera/front/image_raw'
    assert [span.service for span in way] == ['camera', 'salience', 'startled', 'action_broker', 'startled',
                                              'safety', 'cmd_vel']
    begins = [span.begin_ns for span in way]
    assert begins == sorted(begins) and not any(span.failed for span in way)


def chains(decisions: list[Any]) -> list[Any]:
    return [decision for decision in list(decisions)
            if decision.origin_ns and tuple(hop.stage for hop in decision.path) == STAGES]


def test_the_parts_of_a_chain_sum_to_the_whole(traced: Traced, until: Callable[..., None]) -> None:
    until(lambda: len(chains(traced.decisions)) >= CHAINS, 'too few chains ended', TRACE_S)
    errors = []
    for decision in [decision for decision in list(traced.decisions) if decision.origin_ns]:
        whole_us = (decision.sent_ns - decision.origin_ns) / 1e3
        parts_us = sum(hop.transport_us + hop.queue_us + hop.compute_us for hop in decision.path)
        errors.append(abs(parts_us - whole_us) / whole_us)
    assert sum(error <= 0.05 for error in errors) >= 0.95 * len(errors)


def test_the_ledger_is_live(traced: Traced, until: Callable[..., None]) -> None:
    chain = ' > '.join(STAGES)
    until(lambda: chain in traced.latencies and traced.latencies[chain].p50_ms > 0, 'nothing on loom/latency', TRACE_S)
    latency = traced.latencies[chain]
    assert tuple(latency.stages) == STAGES and len(latency.compute_p50_ms) == len(STAGES)
    assert 0 < latency.p50_ms <= latency.p99_ms and latency.sum_error_pct <= 5


def test_a_log_line_names_its_trace(traced: Traced, until: Callable[..., None]) -> None:
    def lines() -> list[str]:
        return [line for line in traced.output.read_text(errors='replace').splitlines() if 'startled by' in line]
    until(lines, 'the agent logged nothing', TRACE_S)
    trace = lines()[0].rpartition('[trace_id=')[2].rstrip(']')
    until(lambda: trace in {span.trace_id for span in traced.receiver.spans()}, f'no span of trace {trace}', TRACE_S)
