"""The SDK beyond handlers: results, streams, settings, middleware, concurrency, failing, and the local team."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from pydantic import BaseModel, Field

from loom import Agent, Context, Event, LocalTeam
from loom.agents import middleware
from loom.agents.host import AgentHost
from loom.core.clock import NANOSECONDS, ManualClock
from loom.core.errors import AgentError, CapabilityError, ConfigError, DeadlineError
from loom.core.local_bus import LocalBus

Until = Callable[..., None]


class Route(BaseModel):
    """Where to go along."""

    places: list[str] = Field(min_length=1)


class Report(BaseModel):
    """How it went."""

    laps: int = Field(ge=0)
    place: str


def guard() -> Agent:
    agent = Agent('guard')

    @agent.capability
    async def patrol(ctx: Context, route: Route, laps: int = 1) -> Report:
        """Walk a route."""
        return {'laps': laps, 'place': route.places[-1]}  # type: ignore[return-value]

    @agent.capability
    async def count(ctx: Context, until: int) -> AsyncIterator[int]:
        """Count up."""
        for number in range(until):
            yield number
        if until == 13:
            raise ValueError('unlucky')

    @agent.capability
    async def tick(ctx: Context) -> AsyncIterator[str]:
        """Tick for ever."""
        while True:
            yield 'tick'
            await asyncio.sleep(0.001)

    return agent


def test_models_are_arguments_and_results_and_stand_in_the_card() -> None:
    with LocalTeam(guard()) as team:
        assert team.act('patrol', route={'places': ['hall', 'door']}) == {'laps': 1, 'place': 'door'}
        with pytest.raises(CapabilityError, match=r'patrol: route.places: \[\] should be non-empty'):
            team.act('patrol', route={'places': []})
        with pytest.raises(CapabilityError, match=r'patrol: the result.laps breaks its own type: .*, got -1'):
            team.act('patrol', route={'places': ['hall']}, laps=-1)
        cards = {c.name: c for card in team.host.cards() for c in card.capabilities}
    assert cards['patrol'].result['properties']['laps'] == {'minimum': 0, 'title': 'Laps', 'type': 'integer'}
    assert cards['count'].result == {'type': 'array', 'items': {'type': 'integer'}}
    assert (cards['count'].streams, cards['patrol'].streams) == (True, False)


async def _stream(ctx: Context, name: str, most: int, **arguments: Any) -> list[Any]:
    values: list[Any] = []
    async for value in ctx.stream(name, **arguments):
        values.append(value)
        if len(values) == most:
            break
    return values


def test_a_capability_that_yields_streams_its_values_and_gives_them_all() -> None:
    with LocalTeam(guard()) as team:
        assert team.act('count', until=3) == [0, 1, 2]
        assert team.run(lambda ctx: _stream(ctx, 'count', 100, until=50)) == list(range(50))
        with pytest.raises(CapabilityError, match='unlucky'):
            team.run(lambda ctx: _stream(ctx, 'count', 100, until=13))
        with pytest.raises(CapabilityError, match="no capability named 'cont'"):
            team.run(lambda ctx: _stream(ctx, 'cont', 100))


def test_leaving_a_stream_early_ends_the_capability(until: Until) -> None:
    async def leave(ctx: Context) -> list[Any]:
        stream = ctx.stream('tick')
        values = [await anext(stream), await anext(stream)]
        await stream.aclose()
        return values
    with LocalTeam(guard()) as team:
        assert team.run(leave) == ['tick', 'tick']
        until(lambda: [e.data['error_code'] for e in team.heard('capability.finished')] == [104])


@pytest.mark.parametrize(('name', 'complaint'), [
    ('no_result', "a capability needs a type hint for its result, 'no_result' has none"),
    ('strange_result', "the result of 'strange_result' must be of a type that JSON can carry"),
    ('strange_argument', "the arguments of 'strange_argument' must be of types that JSON can carry"),
    ('unknown_type', "a type hint of 'unknown_type' can not be read: name 'Nowhere' is not defined"),
])
def test_types_that_no_event_can_carry_are_refused_with_their_place(name: str, complaint: str) -> None:
    async def no_result(ctx: Context):  # type: ignore[no-untyped-def]
        """Do it."""

    async def strange_result(ctx: Context) -> threading.Thread:
        """Do it."""

    async def strange_argument(ctx: Context, thread: threading.Thread) -> None:
        """Do it."""

    async def unknown_type(ctx: Context, where: Nowhere) -> None:  # type: ignore[name-defined]  # noqa: F821
        """Do it."""
    with pytest.raises(CapabilityError, match=r'test_sdk\.py:\d+: ' + complaint):
        Agent('a').capability(locals()[name])


class Settings(BaseModel):
    """Settings of a greeter."""

    greeting: str = 'hello'
    volume: float = Field(0.5, ge=0, le=1)
    names: list[str] = []


def greeter() -> Agent:
    agent = Agent('greeter', config=Settings())

    @agent.on('greeter.show')
    async def show(ctx: Context, event: Event) -> Any:
        return ctx.config.model_dump()

    return agent


def test_settings_come_from_the_declaration_the_host_and_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalTeam(greeter()) as team:
        assert team.request('greeter', 'greeter.show') == {'greeting': 'hello', 'volume': 0.5, 'names': []}
    monkeypatch.setenv('LOOM_AGENT_GREETER_VOLUME', '0.25')
    given = ['greeter.greeting=hi', 'greeter.volume=1', 'greeter.names=["ann"]']
    with LocalTeam(greeter(), settings=given) as team:
        assert team.request('greeter', 'greeter.show') == {'greeting': 'hi', 'volume': 0.25, 'names': ['ann']}


@pytest.mark.parametrize(('given', 'complaint'), [
    ('greeter.volume=2', r"agent 'greeter': volume: input should be less than or equal to 1, got '2'"),
    ('greeter.vol=1', r"agent 'greeter' has no setting named 'vol'; did you mean 'volume'\?"),
    ('greeter.names=["ann"', 'must be JSON'),
    ('local_team.x=1', "agent 'local_team' has no settings"),
    ('greter.volume=1', "no agent named 'greter' is here; did you mean 'greeter'"),
    ('volume', "a setting of an agent must be agent.field=value, got 'volume'"),
])
def test_bad_settings_are_refused_with_their_rule(given: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        LocalTeam(greeter(), settings=[given])


def test_an_agent_without_settings_says_so() -> None:
    async def read(ctx: Context) -> Any:
        return ctx.config
    with LocalTeam() as team, pytest.raises(ConfigError, match="declare it as Agent\\('local_team', config=Settings"):
        team.run(read)


def test_middleware_wraps_handlers_and_capabilities_like_an_onion() -> None:
    steps: list[str] = []

    def layer(name: str) -> middleware.Middleware:
        async def around(ctx: Context, event: Event, next: middleware.Next) -> Any:
            steps.append(f'{name} before {middleware.asked(event)} of {middleware.asker(event)}')
            answer = await next()
            steps.append(f'{name} after {answer}')
            return f'{name}({answer})'
        return around
    agent = Agent('onion', middleware=(layer('outer'), layer('inner'), middleware.logged))

    @agent.on('onion.peel')
    async def peel(ctx: Context, event: Event) -> str:
        return 'core'

    @agent.capability
    async def slice(ctx: Context) -> str:
        """Slice it."""
        return 'ring'

    with LocalTeam(agent) as team:
        assert team.request('onion', 'onion.peel') == 'outer(inner(core))'
        assert team.act('slice') == 'outer(inner(ring))'
    assert steps[:4] == ['outer before onion.peel of local_team', 'inner before onion.peel of local_team',
                         'inner after core', 'outer after inner(core)']
    assert steps[4] == 'outer before slice of local_team'


def test_permission_and_limits_refuse_without_counting_as_failure(until: Until) -> None:
    clock = ManualClock(NANOSECONDS)
    shy = Agent('shy', middleware=(middleware.permitted('friend'),))
    busy = Agent('busy', middleware=(middleware.limited(1.0, burst=2),))
    for agent in (shy, busy):
        @agent.on('do.it')
        async def do(ctx: Context, event: Event) -> str:
            return 'done'
    with LocalTeam(shy, busy, clock=clock) as team:
        with pytest.raises(AgentError, match="'local_team' may not have 'shy' do 'do.it'; allowed: friend"):
            team.request('shy', 'do.it')
        assert [team.request('busy', 'do.it') for _ in range(2)] == ['done', 'done']
        with pytest.raises(AgentError, match="'busy' takes at most 1 a second; ask less often"):
            team.request('busy', 'do.it')
        clock.advance(1.0)
        assert team.request('busy', 'do.it') == 'done'
        counts = team.host.counts()
        assert [counts[name].get('refused') for name in ('shy', 'busy')] == [1, 1] and not team.heard('agent.error')
    with pytest.raises(ConfigError, match='rate_hz above 0'):
        middleware.limited(0.0)


def test_concurrency_widens_one_event_at_a_time(until: Until) -> None:
    agent, running, gate = Agent('wide', concurrency=3), [], threading.Event()

    @agent.on('a.b')
    async def hold(ctx: Context, event: Event) -> None:
        running.append(event.data)
        while not gate.is_set():
            await asyncio.sleep(0.001)

    with LocalTeam(agent) as team:
        for number in range(5):
            team.emit('a.b', number)
        until(lambda: len(running) == 3)
        assert team.host.counts()['wide']['waiting'] == 2
        gate.set()
        until(lambda: len(running) == 5)
    with pytest.raises(ConfigError, match='concurrency must be from 1 to 64'):
        Agent('a', concurrency=0)


def test_three_failures_in_a_row_are_a_failing_agent(until: Until) -> None:
    agent = Agent('weak')

    @agent.on('a.b')
    async def handle(ctx: Context, event: Event) -> None:
        if event.data:
            raise ValueError('no luck')

    with LocalTeam(agent) as team:
        for bad in (True, True, False, True, True, True, True):
            team.emit('a.b', bad)
        assert team.wait('agent.failing').data['agent'] == 'weak'
        until(lambda: team.host.counts()['weak'].get('failed') == 6)
        assert team.host.counts()['weak']['failing'] == 1 and len(team.heard('agent.error')) == 6


def test_the_local_team_says_what_came_instead() -> None:
    with LocalTeam(greeter()) as team:
        team.emit('a.b', 1)
        with pytest.raises(DeadlineError, match='0 of 1 x.y events came within 0.01 s; there were: a.b'):
            team.wait('x.y', timeout_s=0.01)


def test_two_hosts_with_an_agent_of_one_name_the_second_is_refused() -> None:
    clock = ManualClock(NANOSECONDS)
    bus = LocalBus(clock)
    taken = pytest.raises(ConfigError, match="an agent named 'guard' runs already")
    with AgentHost(bus, clock, Agent('guard')), taken:
        AgentHost(bus, clock, Agent('guard')).start()
    with AgentHost(bus, clock, Agent('guard')) as host:
        assert host.cards()[0].state == 'active'
