"""Capability calls on a LocalBus: arguments, results, deadlines, cancelling, once for each id."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from loom import Agent, Context, Event
from loom.act.broker import ActionBroker
from loom.agents.host import AgentHost
from loom.core.clock import ManualClock, SystemClock
from loom.core.errors import CapabilityError
from loom.core.local_bus import LocalBus

WAIT_S = 5.0


def until(condition: Callable[[], object]) -> None:
    """Waits for a condition, with a deadline."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, 'the condition did not come true in time'
        time.sleep(0.002)


@contextmanager
def running(*agents: Agent) -> Iterator[tuple[LocalBus, AgentHost, ActionBroker]]:
    clock = SystemClock()
    bus = LocalBus(clock)
    broker = ActionBroker(bus, clock)
    broker.open()
    with AgentHost(bus, clock, *agents) as host:
        for card in host.cards():
            broker.update(card.id, card.capabilities)
        yield bus, host, broker
    broker.close()


def event(type: str, data: object = None, **fields: object) -> Event:
    return Event.create(type, data, source='test', stamp_ns=time.time_ns(), **fields)


def driver() -> Agent:
    agent = Agent('driver')

    @agent.capability(timeout_s=5.0)
    async def drive(ctx: Context, distance_m: float, speed_m_s: float = 0.3) -> str:
        """Drive ahead."""
        await ctx.feedback('driving', 0.5)
        return f'{distance_m} at {speed_m_s}'

    @agent.capability
    async def wait(ctx: Context) -> str:
        """Wait for ever."""
        await asyncio.sleep(1000)
        return 'never'

    @agent.capability
    async def break_down(ctx: Context) -> object:
        """Give back what no event can carry."""
        return object()

    return agent


def calling(capability: str, **arguments: object) -> tuple[Agent, list[object]]:
    agent, results = Agent('caller'), []

    @agent.on('go.on')
    async def call(ctx: Context, event: Event) -> None:
        try:
            results.append(await ctx.act(capability, **arguments))
        except CapabilityError as error:
            results.append((error.code, str(error)))

    return agent, results


@pytest.mark.parametrize(('name', 'arguments', 'wanted'), [
    ('drive', {'distance_m': 2}, '2.0 at 0.3'),
    ('drive', {'distance_m': 'far'}, (102, "drive: distance_m: 'far' is not of type 'number'")),
    ('drive', {}, (102, "drive: 'distance_m' is a required property")),
    ('drvie', {}, (101, "no capability named 'drvie'; did you mean 'drive'?")),
    ('fly', {}, (101, "no capability named 'fly'; there are: break_down, drive, wait")),
])
def test_act_calls_through_the_broker(name: str, arguments: dict[str, object], wanted: object) -> None:
    caller, results = calling(name, **arguments)
    with running(caller, driver()) as (bus, *_):
        bus.publish(event('go.on'))
        until(lambda: results)
    assert results == [wanted]


def test_a_result_that_no_event_can_carry_is_an_error() -> None:
    caller, results = calling('break_down')
    with running(caller, driver()) as (bus, *_):
        bus.publish(event('go.on'))
        until(lambda: results)
    assert results[0][0] == 105 and 'plain JSON' in results[0][1]


def test_a_call_is_cancelled_while_it_runs_and_ends_once() -> None:
    caller, results = calling('wait')
    with running(caller, driver()) as (bus, host, broker):
        ended = []
        broker.invoke('wait', {}, 'c' * 32, 0.0, ended.append)
        broker.invoke('wait', {}, 'c' * 32, 0.0, ended.append)
        broker.cancel('c' * 32)
        broker.cancel('c' * 32)
        assert [o['error_code'] for o in ended] == [104, 104]
        broker.invoke('wait', {}, 'c' * 32, 0.0, ended.append)
        assert len(ended) == 3
        assert host.wait_idle()


def test_a_call_ends_at_its_deadline() -> None:
    caller, results = calling('wait', deadline_s=0.02)
    with running(caller, driver()) as (bus, *_):
        bus.publish(event('go.on'))
        until(lambda: results)
    assert results == [(103, "'wait' must end within 0.02 s and did not")]


def test_the_brokers_tick_ends_what_an_agent_does_not() -> None:
    clock = ManualClock(1)
    bus = LocalBus(clock)
    broker, ended = ActionBroker(bus, clock), []
    broker.update('host', driver().card().capabilities)
    broker.invoke('wait', {}, 'd' * 32, 2.0, ended.append)
    clock.advance(2.9)
    broker.tick()
    assert not ended
    clock.advance(0.2)
    broker.tick()
    assert ended[0]['error_code'] == 103
