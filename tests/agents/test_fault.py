"""When a host of agents must be started anew: a function fails again and again, or the loop hangs."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from loom import Agent, Context, Event
from loom.agents import pulse
from loom.agents.host import AgentHost
from loom.agents.pulse import Pulse
from loom.core.clock import SystemClock
from loom.core.local_bus import LocalBus

Until = Callable[..., None]


def event(type: str, data: object = None) -> Event:
    return Event.create(type, data, source='test', stamp_ns=time.time_ns())


def test_three_failures_in_a_row_are_a_fault_until_the_next_start(until: Until) -> None:
    agent, bus = Agent('weak'), LocalBus()

    @agent.on('a.b')
    async def handle(ctx: Context, event: Event) -> None:
        raise ValueError('no luck')

    host = AgentHost(bus, SystemClock(), agent, Agent('strong'))
    assert host.fault() == ''
    with host:
        for number in range(3):
            assert host.fault() == ''
            bus.publish(event('a.b'))
            until(lambda number=number: host.counts()['weak'].get('failed', 0) > number)
        until(host.fault)
        assert host.fault() == ("agent 'weak': handle failed 3 times in a row within 60 s: ValueError('no luck')")
        assert host.fault() == host.failing()['weak'] and list(host.failing()) == ['weak']
    assert host.fault() == ''
    with host:
        assert host.fault() == ''


def test_a_loop_that_hangs_is_a_fault_within_a_second(until: Until) -> None:
    agent, bus, gate, began = Agent('stuck'), LocalBus(), threading.Event(), threading.Event()

    @agent.on('a.b')
    async def block(ctx: Context, event: Event) -> None:
        began.set()
        gate.wait(10.0)

    with AgentHost(bus, SystemClock(), agent) as host:
        for _ in range(3):
            assert host.fault() == ''
            time.sleep(0.05)
        bus.publish(event('a.b'))
        assert began.wait(5.0)
        since_s = time.monotonic()
        faults: list[str] = []

        def looked() -> bool:
            time.sleep(0.1)
            faults.append(host.fault())
            return bool(faults[-1])
        until(looked)
        assert 0.7 < time.monotonic() - since_s < 1.5
        assert faults[-1].startswith("the agents' loop has not answered for ")
        gate.set()
        until(lambda: not host.fault(), 'a loop that answers again is no fault')


def test_whoever_stood_still_together_with_the_loop_does_not_call_it_hung(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [50.0]
    monkeypatch.setattr(pulse.time, 'monotonic', lambda: now_s[0])
    loop = asyncio.new_event_loop()
    one, found = Pulse(loop, 0.9), []
    for seconds in (0.4, 60.0, 0.4, 0.4, 0.4):
        now_s[0] += seconds
        found.append(one.fault())
    assert found == ['', '', '', '', "the agents' loop has not answered for 1.2 s"]
    loop.close()
    assert one.fault() == "the agents' loop has ended"


def test_a_slow_handler_that_waits_is_no_fault(until: Until) -> None:
    agent, bus, seen = Agent('slow'), LocalBus(), []

    @agent.on('a.b')
    async def handle(ctx: Context, event: Event) -> None:
        time.sleep(0.05)
        seen.append(event.data)

    with AgentHost(bus, SystemClock(), agent, hang_s=0.5) as host:
        for number in range(15):
            bus.publish(event('a.b', number))
        faults: list[str] = []

        def done() -> bool:
            faults.append(host.fault())
            return len(seen) == 15
        until(done)
        assert not any(faults)


def test_a_loop_that_hung_ends_in_order_when_it_answers_again(
        tmp_path: Path, caplog: pytest.LogCaptureFixture, until: Until) -> None:
    agent, began, gate, bus = Agent('stuck'), threading.Event(), threading.Event(), LocalBus()

    @agent.on('a.b')
    async def block(ctx: Context, event: Event) -> None:
        began.set()
        gate.wait(10.0)

    host = AgentHost(bus, SystemClock(), agent, journal=tmp_path)
    host.start()
    loop_thread = host._thread
    bus.publish(event('a.b'))
    assert began.wait(5.0)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter('always')
        assert not host.stop(0.1) and host.stop()
        # Another one has its name and its journal by then.
        with AgentHost(LocalBus(), SystemClock(), Agent('stuck'), journal=tmp_path) as successor:
            gate.set()
            until(lambda: not loop_thread.is_alive())
            assert successor.cards()[0].state == 'active'
        assert not bus._mailboxes['stuck'][0].inlet.open
        del host, bus, agent, block
        gc.collect()
    assert [str(each.message) for each in told] == [] and caplog.text == ''
