"""Agents on a LocalBus: events, requests, capability calls, timers, errors and the end."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from loom import Agent, Context, Event
from loom.act.broker import ActionBroker
from loom.agents.host import AgentHost
from loom.core.clock import ManualClock, SystemClock
from loom.core.delivery import BATCHED
from loom.core.errors import ConfigError, DeadlineError, DeviceError
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


def test_a_handler_runs_for_each_matching_event_in_order() -> None:
    agent, seen = Agent('guard'), []

    @agent.on('camera.*.person')
    async def watch(ctx: Context, event: Event) -> None:
        seen.append(event.data)

    with running(agent) as (bus, host, _):
        for number in range(20):
            bus.publish(event('camera.front.person', number))
        bus.publish(event('camera.front.ball', 99))
        until(lambda: len(seen) == 20)
    assert seen == list(range(20))


def test_one_event_at_a_time_and_the_oldest_is_dropped_when_the_mailbox_is_full() -> None:
    agent, seen, gate = Agent('slow', mailbox=3), [], threading.Event()

    @agent.on('a.b')
    async def slow(ctx: Context, event: Event) -> None:
        while not gate.is_set():
            await asyncio.sleep(0.001)
        seen.append(event.data)

    with running(agent) as (bus, host, _):
        bus.publish(event('a.b', 0))
        until(lambda: host.counts()['slow']['waiting'] == 0)
        for number in range(1, 8):
            bus.publish(event('a.b', number))
        gate.set()
        until(lambda: len(seen) == 4)
        assert host.counts()['slow']['dropped'] == 4
    assert seen == [0, 5, 6, 7]


def test_an_event_that_expires_while_it_waits_is_not_handled() -> None:
    agent, seen, gate = Agent('late'), [], threading.Event()

    @agent.on('a.b')
    async def handle(ctx: Context, event: Event) -> None:
        while not gate.is_set():
            await asyncio.sleep(0.001)
        seen.append(event.data)

    clock = ManualClock(1_000_000_000)
    bus = LocalBus(clock)
    with AgentHost(bus, clock, agent) as host:
        bus.publish(Event.create('a.b', 1, source='test', stamp_ns=1))
        until(lambda: host.counts()['late']['waiting'] == 0)
        bus.publish(Event.create('a.b', 2, source='test', stamp_ns=1, expires_ns=2_000_000_000))
        clock.advance(5.0)
        gate.set()
        until(lambda: host.counts()['late'].get('expired') == 1)
    assert seen == [1]


def test_an_event_is_not_begun_that_would_be_done_too_late() -> None:
    agent, clock = Agent('tardy'), ManualClock(1_000_000_000)
    seen: list[int] = []
    bus = LocalBus(clock)

    @agent.on('a.b')
    async def think(ctx: Context, event: Event) -> None:
        clock.advance(2.0)
        await ctx.emit('a.done')
        clock.advance(60.0)
        seen.append(event.data)

    def publish(data: int, expires_s: float) -> None:
        bus.publish(Event.create('a.b', data, source='test', stamp_ns=1, expires_ns=expires_s and round(
            clock.now_ns() + expires_s * 1e9)))
    with AgentHost(bus, clock, agent) as host:
        publish(1, 0)
        until(lambda: seen == [1])
        # It usually takes 2 s until it does something; what it does afterwards may take longer.
        publish(2, 1.0)
        publish(3, 3.0)
        until(lambda: seen == [1, 3])
        assert host.counts()['tardy']['late'] == 1
        summary, = host.ledger.report(1)
    assert (summary.chain, summary.late) == ('tardy', 1)


def test_a_chain_names_what_each_stage_took() -> None:
    agent, told = Agent('guard'), []

    @agent.on('a.b')
    async def tell(ctx: Context, event: Event) -> None:
        await ctx.emit('a.told')

    clock = ManualClock(1)
    bus = LocalBus(clock)
    bus.subscribe('a.told', told.append)
    with AgentHost(bus, clock, agent):
        bus.publish(Event.create('a.b', source='camera', stamp_ns=1, origin_ns=5))
        until(lambda: told)
    event = told[0]
    assert event.origin_ns == 5 and [hop.stage for hop in event.path] == ['guard']
    assert event.sent_ns <= event.arrived_ns <= event.began_ns


def test_a_failing_handler_is_counted_and_told() -> None:
    agent, errors = Agent('faulty'), []

    @agent.on('a.b', 'agent.error')
    async def fail(ctx: Context, event: Event) -> None:
        raise ValueError('no luck')

    with running(agent) as (bus, host, _):
        bus.subscribe('agent.error', lambda e: errors.append(e.data))
        bus.publish(event('a.b'))
        until(lambda: host.counts()['faulty'].get('failed') == 2)
    assert len(errors) == 1
    assert errors[0]['agent'] == 'faulty' and 'no luck' in errors[0]['error']


def test_request_brings_what_the_handler_returns() -> None:
    asker, clerk, answers = Agent('asker'), Agent('clerk'), []

    @clerk.on('clerk.sum')
    async def add(ctx: Context, event: Event) -> int:
        return sum(event.data)

    @asker.on('go.on')
    async def ask(ctx: Context, event: Event) -> None:
        answers.append(await ctx.request('clerk', 'clerk.sum', [1, 2, 3]))
        with pytest.raises(DeadlineError, match='nobody'):
            await ctx.request('nobody', 'clerk.sum', [], timeout_s=0.01)
        answers.append('late')

    with running(asker, clerk) as (bus, *_):
        bus.publish(event('go.on'))
        until(lambda: answers == [6, 'late'])


def test_a_listener_hears_what_comes_while_the_handler_runs() -> None:
    agent, heard = Agent('ear', listens=('speaker.said',)), []

    @agent.on('go.on')
    async def wait(ctx: Context, event: Event) -> None:
        with ctx.listen('speaker.said') as said:
            await ctx.emit('speaker.say', {'text': 'hi'})
            heard.append((await said.next(WAIT_S, lambda e: e.data['text'] == 'hi')).data)
        with pytest.raises(ConfigError, match="listens=\\('x.y',\\)"):
            ctx.listen('x.y')
        with pytest.raises(DeviceError, match='agent_host'):
            ctx.body.pose()
        await ctx.remember('heard', True)
        heard.append(ctx.recall('heard'))

    with running(agent) as (bus, *_):
        bus.subscribe('speaker.say', lambda e: bus.publish(event('speaker.said', e.data)))
        bus.publish(event('go.on'))
        until(lambda: len(heard) == 2)
    assert heard == [{'text': 'hi'}, True]


def test_timers_tick_until_the_host_stops() -> None:
    agent, ticks = Agent('clockwork'), []

    @agent.every(0.005)
    async def tick(ctx: Context) -> None:
        ticks.append(1)

    with running(agent) as (_, host, _broker):
        until(lambda: len(ticks) > 3)
        assert host.stop()
    count = len(ticks)
    time.sleep(0.02)
    assert len(ticks) == count


def test_stop_ends_a_handler_that_never_would() -> None:
    agent, started = Agent('endless'), threading.Event()

    @agent.on('a.b')
    async def endless(ctx: Context, event: Event) -> None:
        ctx.spawn(asyncio.sleep(1000))
        started.set()
        await asyncio.sleep(1000)

    with running(agent) as (bus, host, _):
        bus.publish(event('a.b'))
        assert started.wait(WAIT_S)
        assert host.stop()
        bus.publish(event('a.b'))
    assert host.cards()[0].state == 'inactive'


def test_effects_belong_to_the_conversation_and_trace_of_their_cause() -> None:
    agent, effects = Agent('link'), []

    @agent.on('a.b')
    async def handle(ctx: Context, event: Event) -> None:
        await ctx.emit('c.d', 1)

    with running(agent) as (bus, *_):
        bus.subscribe('c.d', effects.append)
        cause = event('a.b', thread_id='mission')
        bus.publish(cause)
        until(lambda: effects)
    effect = effects[0]
    assert (effect.thread_id, effect.hops, effect.sender) == ('mission', 1, 'link')
    assert effect.traceparent.split('-')[1] == cause.traceparent.split('-')[1]


def test_an_agent_that_is_slow_makes_batched_sources_wait_and_loses_nothing() -> None:
    agent, seen, gate = Agent('slow', mailbox=4), [], threading.Event()

    @agent.on('work.item', delivery=BATCHED)
    async def work(ctx: Context, event: Event) -> None:
        while not gate.is_set():
            await asyncio.sleep(0.001)
        seen.append(event.data)

    with running(agent) as (bus, host, _):
        sent = 0
        while bus.room('work.item') and sent < 5000:
            bus.publish(event('work.item', sent), BATCHED)
            sent += 1
        assert BATCHED.depth <= sent <= BATCHED.depth + 5
        gate.set()
        until(lambda: len(seen) == sent)
        assert seen == list(range(sent)) and host.counts()['slow']['dropped'] == 0
