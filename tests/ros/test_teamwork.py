"""Teamwork over DDS: thousands of requests need no new entity, and one name is one agent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip('rclpy')

import rclpy

from loom import Agent, Context, Event
from loom.agents import teamwork
from loom.agents.host import AgentHost
from loom.core.clock import SystemClock
from loom.ros.bus import RosBus

REQUESTS, AT_ONCE = 10_000, 100
WORK_S = 60.0
Until = Callable[..., None]


def clerk(name: str) -> Agent:
    agent = Agent(name, mailbox=1000, concurrency=8)

    @agent.on('clerk.double')
    async def double(ctx: Context, event: Event) -> int:
        return 2 * event.data

    return agent


def entities(node: Any) -> list[str]:
    """The topics and services of a node, one for each entity, without the books that a bus keeps once a second."""
    ends = [*node.publishers, *node.subscriptions]
    topics = [end.topic_name for end in ends if '/loom/bus/' not in end.topic_name]
    return sorted([*topics, *(end.srv_name for end in (*node.services, *node.clients))])


def test_ten_thousand_requests_leave_the_number_of_entities_unchanged(ros: Any) -> None:
    nodes = [ros.add(rclpy.create_node, name) for name in ('asking', 'answering')]
    buses = [RosBus(node) for node in nodes]

    async def ask(ctx: Context, count: int) -> int:
        total = 0
        for first in range(0, count, AT_ONCE):
            asked = (ctx.request('clerk', 'clerk.double', number, 10.0) for number in range(first, first + AT_ONCE))
            total += sum(await asyncio.gather(*asked))
        return total
    with AgentHost(buses[0], SystemClock(), Agent('asker')) as asker, \
            AgentHost(buses[1], SystemClock(), clerk('clerk')) as answerer:
        asker.run('asker', lambda ctx: ask(ctx, AT_ONCE), WORK_S)
        before = [entities(node) for node in nodes]
        assert asker.run('asker', lambda ctx: ask(ctx, REQUESTS), WORK_S) == REQUESTS * (REQUESTS - 1)
        assert [entities(node) for node in nodes] == before
        assert answerer.counts()['clerk']['handled'] == REQUESTS + AT_ONCE
        assert not asker.counts()['asker'].get('late_replies') and not asker.counts()['asker']['dropped']
    for bus in buses:
        bus.close()


def test_the_second_agent_of_a_name_gives_way(ros: Any, until: Until) -> None:
    buses = [RosBus(ros.add(rclpy.create_node, name)) for name in ('first', 'second')]
    with AgentHost(buses[0], SystemClock(), clerk('clerk')) as first, \
            AgentHost(buses[1], SystemClock(), clerk('clerk'), Agent('asker')) as second:
        until(lambda: second.cards()[0].state == 'inactive', 'the second did not give way')
        assert first.cards()[0].state == second.cards()[1].state == 'active'
        answers = second.run('asker', lambda ctx: teamwork.ask_all(ctx, ['clerk'], 'clerk.double', 2), WORK_S)
        assert answers.values == {'clerk': 4}
        assert first.counts()['clerk']['handled'] == 1
    for bus in buses:
        bus.close()
