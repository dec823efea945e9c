"""The node of the agents: its journals, and when it says that it must be started anew."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

rclpy = pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402

from loom import Agent, Context, Event  # noqa: E402
from loom.nodes.agent_host import AgentHost  # noqa: E402
from loom.ros.bus import RosBus  # noqa: E402
from loom.ros.diagnostics import ERROR  # noqa: E402

Until = Callable[..., None]
weak = Agent('weak')


@weak.on('weak.fail')
async def fail(ctx: Context, event: Event) -> None:
    raise ValueError('no luck')


@weak.on('weak.block')
async def block(ctx: Context, event: Event) -> None:
    time.sleep(2.0)
    await asyncio.sleep(0)


def node_of(ros: Any, folder: Path) -> Any:
    return ros.add(AgentHost, parameter_overrides=[
        Parameter('agents', value=[f'{__name__}:weak']), Parameter('memory', value=''),
        Parameter('journal', value=str(folder))])


@pytest.fixture
def node(ros: Any, tmp_path: Path) -> Any:
    made = node_of(ros, tmp_path)
    assert made.fault() == ''
    made.trigger_configure()
    made.trigger_activate()
    return made


def test_an_agent_that_fails_again_and_again_is_a_fault_and_an_error(ros: Any, node: Any, until: Until) -> None:
    told: list[Any] = []
    guest = ros.add(rclpy.create_node, 'guest')
    guest.create_subscription(DiagnosticArray, '/diagnostics', lambda m: told.extend(m.status), 10)
    bus = RosBus(guest)
    for number in range(3):
        assert node.fault() == ''
        bus.publish(Event.create('weak.fail', source='test', stamp_ns=time.time_ns()))
        until(lambda number=number: node._host.counts()['weak'].get('failed', 0) > number)
    until(node.fault)
    assert node.fault().startswith("agent 'weak': fail failed 3 times in a row within 60 s: ValueError('no luck')")
    own = f'{ros.namespace}/agent_host'
    until(lambda: any(own in s.name and s.name.endswith('weak') and s.level == ERROR and 'no luck' in s.message
                      for s in told), 'the diagnostics do not show it')
    bus.close()


def test_a_loop_that_hangs_is_a_fault(ros: Any, node: Any, until: Until) -> None:
    assert node.fault() == ''
    node._host.tell('weak', 'weak.block')

    def hangs() -> bool:
        time.sleep(0.1)
        return "the agents' loop has not answered" in node.fault()
    until(hangs, 'nobody notices', 1.9)
    until(lambda: not node.fault())


def test_a_second_host_with_the_same_journals_is_refused_and_says_why(ros: Any, node: Any, tmp_path: Path) -> None:
    assert {path.stem for path in tmp_path.iterdir()} == {'weak', 'fetch_report'}
    second = node_of(ros, tmp_path)
    second.trigger_configure()
    second.trigger_activate()
    assert "an agent named 'weak' runs already: process" in second.stopped_because
    assert node.fault() == second.fault() == ''
    node.trigger_deactivate()
    second.trigger_activate()
    assert second.stopped_because == ''
