"""The directory as a value: what hosts tell, who is gone, and what is found; and how agents ask it."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom import Agent, Context, LocalTeam
from loom.act.capability import Capability
from loom.agents.directory import MAX_HOSTS, MAX_PAST, AgentCard, Directory, capabilities
from loom.agents.host import AgentHost
from loom.core.clock import SystemClock
from loom.core.errors import BusyError, ConfigError, EventError
from loom.core.local_bus import LocalBus

GO_TO = Capability('go_to', 'navigator', 'Drive.')
SAY = Capability('say', 'speaker', 'Talk.')
NAVIGATOR = AgentCard('navigator', listens=('map.**',), capabilities=(GO_TO,))
SPEAKER = AgentCard('speaker', listens=('camera.*.object', 'text.typed'), capabilities=(SAY,))
IDLE = AgentCard('idle', 'inactive', listens=('camera.*.object',))


def known() -> Directory:
    return Directory().update('base', 'a1', [NAVIGATOR], 1).update('mind', 'b1', [SPEAKER, IDLE], 2)


def ids(*cards: AgentCard) -> list[str]:
    return [card.id for card in cards]


def test_each_host_adds_its_agents_with_host_and_incarnation() -> None:
    assert [(c.id, c.state, c.host, c.incarnation) for c in known().cards()] == [
        ('navigator', 'active', 'base', 'a1'), ('speaker', 'active', 'mind', 'b1'), ('idle', 'inactive', 'mind', 'b1')]


def test_it_is_a_value() -> None:
    before = Directory()
    after = before.update('base', 'a1', [NAVIGATOR])
    assert before == Directory() != after == Directory().update('base', 'a1', [NAVIGATOR])


@pytest.mark.parametrize(('query', 'found'), [
    ({}, ['navigator', 'speaker']), ({'state': ''}, ['navigator', 'speaker', 'idle']),
    ({'state': 'inactive'}, ['idle']), ({'state': 'gone'}, []),
    ({'capability': 'say'}, ['speaker']), ({'capability': 'fly'}, []),
    ({'topic': 'camera.front.object'}, ['speaker']), ({'topic': 'camera.object'}, []),
    ({'topic': 'map.changed.kitchen'}, ['navigator']),
    ({'topic': 'camera.front.object', 'state': ''}, ['speaker', 'idle']),
    ({'topic': 'text.typed', 'capability': 'go_to'}, [])])
def test_it_finds_by_capability_topic_and_state(query: dict[str, str], found: list[str]) -> None:
    assert ids(*known().find(**query)) == found


def test_a_query_that_can_find_nothing_says_why() -> None:
    with pytest.raises(ConfigError, match=r"no state named 'activ'; did you mean 'active'\?"):
        known().find(state='activ')
    with pytest.raises(EventError, match=r'an event type must be lower_snake'):
        known().find(topic='camera.*.object')


def test_the_agents_of_a_host_that_is_gone_stay_known_until_it_is_back() -> None:
    gone = known().gone('mind')
    assert ids(*gone.find()) == ['navigator'] and ids(*gone.find(state='gone')) == ['speaker', 'idle']
    assert capabilities(gone.cards()) == {'go_to': GO_TO}
    assert gone.gone('mind') is gone and gone.gone('nobody') is gone
    assert ids(*gone.update('mind', 'b2', [SPEAKER], 3).find(state='')) == ['navigator', 'speaker']
    assert gone.update('mind', 'b1', [SPEAKER, IDLE], 2) == known()


def test_hosts_that_are_up_and_not_there_are_missing() -> None:
    assert known().missing(['base', 'other']) == ('mind',)
    assert known().gone('mind').missing([]) == ('base',)


def test_what_a_dead_incarnation_said_does_not_come_back() -> None:
    restarted = known().update('base', 'a2', [SPEAKER], 5)
    assert restarted.update('base', 'a1', [NAVIGATOR], 1) is restarted
    assert restarted.update('base', 'a1', [NAVIGATOR], 9) is restarted
    assert restarted.gone('base').update('base', 'a1', [NAVIGATOR], 9) == restarted.gone('base')
    assert restarted.update('base', 'never_seen', [NAVIGATOR], 4) is restarted


def test_where_a_host_moved_to_another_machine_its_own_order_counts_once_it_was_gone() -> None:
    moved = known().gone('mind').update('mind', 'b2', [IDLE], 1)
    assert ids(*moved.find(state='')) == ['navigator', 'idle']


@pytest.mark.parametrize('arrival', list(permutations(range(4))))
def test_the_youngest_incarnation_wins_however_the_messages_come(arrival: tuple[int, ...]) -> None:
    directory = Directory()
    for number in arrival:
        directory = directory.update('base', f'a{number}', [AgentCard(f'agent_{number}')], number)
    assert ids(*directory.cards()) == ['agent_3']


@given(st.lists(st.tuples(st.sampled_from(['update', 'gone']), st.integers(0, 100), st.integers(0, 20)), max_size=300))
def test_it_stays_bounded(steps: list[tuple[str, int, int]]) -> None:
    directory = Directory()
    for order, (step, host, incarnation) in enumerate(steps):
        if step == 'gone':
            directory = directory.gone(f'h{host}')
        elif f'h{host}' in directory.hosts or len(directory.hosts) < MAX_HOSTS or directory.missing([]) != tuple(
                directory.hosts):
            directory = directory.update(f'h{host}', f'{incarnation}', [IDLE], order)
    assert len(directory.hosts) <= MAX_HOSTS
    assert all(len(host.past) <= MAX_PAST for host in directory.hosts.values())


def test_where_all_places_are_taken_the_longest_gone_makes_room() -> None:
    full = Directory()
    for number in range(MAX_HOSTS):
        full = full.update(f'h{number}', 'a', [IDLE], number)
    with pytest.raises(BusyError, match=r'at most 64 hosts of agents can be up; put more'):
        full.update('one_more', 'a', [IDLE], 99)
    after = full.gone('h7').gone('h3').update('one_more', 'a', [IDLE], 99)
    assert set(full.hosts) - set(after.hosts) == {'h3'} and 'one_more' in after.hosts


def test_agents_find_each_other_by_what_they_can_do() -> None:
    agent, known = Agent('guard', listens=('door.opened',)), Directory()

    @agent.capability
    async def patrol(ctx: Context) -> str:
        """Walk."""
        return 'done'

    async def found(ctx: Context, **query: str) -> list[str]:
        return [card.id for card in ctx.agents(**query)]
    with LocalTeam(agent, Agent('other')) as team:
        assert team.run(found) == ['guard', 'other', 'local_team']
        assert team.run(lambda ctx: found(ctx, capability='patrol')) == ['guard']
        assert team.run(lambda ctx: found(ctx, topic='door.opened')) == ['guard']
        assert team.run(lambda ctx: found(ctx, state='gone')) == []
    bus, clock = LocalBus(), SystemClock()
    with AgentHost(bus, clock, Agent('asker'), directory=lambda: known) as host:
        assert host.run('asker', found, 5.0) == []
        known = known.update('far_host', 'a1', [agent.card()])
        assert host.run('asker', found, 5.0) == ['guard']
        known = known.gone('far_host')
        assert host.run('asker', found, 5.0) == []
        assert host.run('asker', lambda ctx: found(ctx, state='gone'), 5.0) == ['guard']
