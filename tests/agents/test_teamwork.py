"""Teamwork on a LocalTeam: what each way promises, and who is told when it ends early."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest

from loom import Agent, Context, Event, LocalTeam
from loom.agents import teamwork
from loom.core.errors import AgentError, DeadlineError

Until = Callable[..., None]
SOON_S = 0.1


def worker(name: str, answer: object = 'done', seen: list | None = None) -> Agent:
    """Answers `work.do`; never where the answer is `...`, and notes what becomes of it."""
    agent, notes = Agent(name), [] if seen is None else seen

    @agent.on('work.do')
    async def do(ctx: Context, event: Event) -> object:
        try:
            if answer is ...:
                await asyncio.sleep(1000)
            if isinstance(answer, Exception):
                raise answer
            return answer
        except asyncio.CancelledError:
            notes.append(f'{name} was cancelled')
            raise

    @agent.on('work.lost', 'team.news')
    async def note(ctx: Context, event: Event) -> None:
        notes.append((name, event.type, event.data, event.thread_id))

    return agent


def test_ask_all_brings_every_answer_and_says_who_is_missing(until: Until) -> None:
    notes: list = []
    with LocalTeam(worker('a', 1), worker('b', 2), worker('c', ..., notes), worker('d', ValueError('no'))) as team:
        answers = team.run(lambda ctx: teamwork.ask_all(ctx, ['a', 'b'], 'work.do'))
        assert answers.values == {'a': 1, 'b': 2}
        answers = team.run(lambda ctx: teamwork.ask_all(ctx, 'abcd', 'work.do', least=2, timeout_s=SOON_S))
        assert answers.values == {'a': 1, 'b': 2} and set(answers.errors) == {'c', 'd'}
        with pytest.raises(AgentError, match=r"at least 4 of 4 must answer work.do, 2 did; c: 'c' did not answer"):
            team.run(lambda ctx: teamwork.ask_all(ctx, 'abcd', 'work.do', timeout_s=SOON_S))
        until(lambda: notes == ['c was cancelled'] * 2)


def test_ask_first_takes_the_first_and_cancels_the_others(until: Until) -> None:
    notes: list = []
    with LocalTeam(worker('a', ..., notes), worker('b', 2), worker('c', ValueError('no luck'))) as team:
        answers = team.run(lambda ctx: teamwork.ask_first(ctx, 'abc', 'work.do'))
        assert answers.values == {'b': 2}
        until(lambda: notes == ['a was cancelled'])
        assert team.host.counts()['a']['cancelled'] == 1
        with pytest.raises(AgentError, match="at least 3 of 3 must answer .* c: 'c': no luck"):
            team.run(lambda ctx: teamwork.ask_first(ctx, 'abc', 'work.do', count=3, timeout_s=1000.0))


def test_ask_quorum_ends_when_enough_agree() -> None:
    def two_agree(answers: teamwork.Answers) -> bool:
        return max(Counter(answers.values.values()).values(), default=0) >= 2
    with LocalTeam(worker('a', 'left'), worker('b', 'right'), worker('c', 'left'), worker('d', ...)) as team:
        answers = team.run(lambda ctx: teamwork.ask_quorum(ctx, 'abcd', 'work.do', agreed=two_agree))
        assert list(answers.values.values()).count('left') == 2
        with pytest.raises(AgentError, match="of a, b to work.do must satisfy 'two_agree'"):
            team.run(lambda ctx: teamwork.ask_quorum(ctx, 'ab', 'work.do', agreed=two_agree))


def test_a_cancelled_asker_has_everybody_cancelled(until: Until) -> None:
    notes: list = []
    with LocalTeam(worker('a', ..., notes), worker('b', ..., notes)) as team:
        async def give_up(ctx: Context) -> None:
            asking = asyncio.ensure_future(teamwork.ask_all(ctx, 'ab', 'work.do'))
            await asyncio.sleep(0.01)
            asking.cancel()
            await asyncio.wait([asking])
        team.run(give_up)
        until(lambda: sorted(notes) == ['a was cancelled', 'b was cancelled'])


def test_what_was_withdrawn_before_it_began_is_never_begun(until: Until) -> None:
    notes: list = []
    with LocalTeam(worker('a', ..., notes)) as team:
        async def ask_twice(ctx: Context) -> None:
            busy = asyncio.ensure_future(ctx.request('a', 'work.do'))
            await asyncio.sleep(0.01)
            with pytest.raises(DeadlineError):
                await ctx.request('a', 'work.do', timeout_s=0.01)
            assert notes == []
            busy.cancel()
        team.run(ask_twice)
        until(lambda: team.host.counts()['a'].get('cancelled') == 2)
        until(lambda: notes == ['a was cancelled'])


def test_a_request_without_handler_and_one_that_fails_are_answered_at_once() -> None:
    with LocalTeam(worker('a', ValueError('no luck')), worker('b', None)) as team:
        with pytest.raises(AgentError, match="'a': no luck"):
            team.request('a', 'work.do', timeout_s=1000.0)
        with pytest.raises(AgentError, match="'a' has no handler for work.undo"):
            team.request('a', 'work.undo', timeout_s=1000.0)
        assert team.request('b', 'work.do') is None


def contractor(name: str, bid: float | None, work: Callable[[], object], notes: list) -> Agent:
    agent = Agent(name, concurrency=2)

    @agent.on('search.call')
    async def call(ctx: Context, event: Event) -> object:
        return None if bid is None else {'distance_m': bid}

    @agent.on('search.award')
    async def award(ctx: Context, event: Event) -> object:
        result = work()
        return await result if asyncio.iscoroutine(result) else result

    @agent.on('search.lost')
    async def lost(ctx: Context, event: Event) -> None:
        notes.append((name, event.data['winner']))

    return agent


def nearest(bid: dict) -> float:
    return -bid['distance_m']


def test_the_best_bid_gets_the_contract_and_losers_are_told(until: Until) -> None:
    notes: list = []
    crew = [contractor('a', 3.0, lambda: 'by a', notes), contractor('b', 1.0, lambda: 'by b', notes),
            contractor('c', None, lambda: 'by c', notes)]
    with LocalTeam(*crew) as team:
        award = team.run(lambda ctx: teamwork.contract(ctx, 'abc', 'search', {'room': 1}, score=nearest))
        assert (award.agent, award.bid, award.result, award.failed) == ('b', {'distance_m': 1.0}, 'by b', {})
        until(lambda: notes == [('a', 'b')])


def test_the_contract_goes_to_the_next_where_the_winner_fails() -> None:
    def fails() -> object:
        raise RuntimeError('a wheel came off')
    notes: list = []
    crew = [contractor('a', 1.0, fails, notes), contractor('b', 2.0, lambda: 'by b', notes)]
    with LocalTeam(*crew) as team:
        award = team.run(lambda ctx: teamwork.contract(ctx, ['gone', 'a', 'b'], 'search', score=nearest, bid_s=SOON_S))
        assert award.agent == 'b' and 'a wheel came off' in str(award.failed['a'])
        with pytest.raises(AgentError, match='1 bid, none did it: a: .*a wheel came off'):
            team.run(lambda ctx: teamwork.contract(ctx, 'a', 'search', score=nearest))
        with pytest.raises(AgentError, match='0 bid, none did it: gone: .* did not answer'):
            team.run(lambda ctx: teamwork.contract(ctx, ['gone'], 'search', score=nearest, bid_s=SOON_S))


def test_all_pass_a_barrier_when_the_last_has_come(until: Until) -> None:
    names, passed = ('a', 'b', 'c'), []
    agents = [Agent(name) for name in names]
    for agent in agents:
        @agent.on('team.meet')
        async def meet(ctx: Context, event: Event) -> None:
            await teamwork.barrier(ctx, event.data, names, timeout_s=2.0)
            passed.append((event.data, ctx.agent))
    with LocalTeam(*agents) as team:
        for number in range(20):
            for name in names[:2]:
                team.run(lambda ctx, name=name, number=number: _tell(ctx, name, 'team.meet', f'meeting_{number}'))
            assert len(passed) == 3 * number
            team.run(lambda ctx, number=number: _tell(ctx, 'c', 'team.meet', f'meeting_{number}'))
            until(lambda number=number: len(passed) == 3 * (number + 1))
        with pytest.raises(AgentError, match=r'at least 2 of 2 must answer barrier.arrive, 0 did; a: '):
            team.run(lambda ctx: teamwork.barrier(ctx, 'alone', ['a', 'b', ctx.agent], timeout_s=SOON_S))


async def _tell(ctx: Context, agent: str, type: str, data: object) -> None:
    ctx.tell(agent, type, data)


def test_a_pipeline_passes_results_on_and_names_the_stage_that_failed() -> None:
    agent = Agent('clerk')

    @agent.on('clerk.double')
    async def double(ctx: Context, event: Event) -> int:
        return 2 * event.data

    with LocalTeam(agent, worker('a', ...)) as team:
        stages = [('clerk', 'clerk.double')] * 3
        assert team.run(lambda ctx: teamwork.pipeline(ctx, stages, 1)) == 8
        with pytest.raises(AgentError, match="stage 4 of 4, work.do by 'a', failed: 'a' did not answer"):
            team.run(lambda ctx: teamwork.pipeline(ctx, [*stages, ('a', 'work.do')], 1, timeout_s=SOON_S))


def test_a_broadcast_reaches_the_members_in_their_conversation(until: Until) -> None:
    notes: list = []
    with LocalTeam(worker('a', seen=notes), worker('b', seen=notes)) as team:
        team.run(lambda ctx: teamwork.broadcast(ctx, 'aab', 'team.news', 'fire', thread_id='drill'))
        until(lambda: len(notes) == 2)
    assert sorted(notes) == [('a', 'team.news', 'fire', 'drill'), ('b', 'team.news', 'fire', 'drill')]


def test_replies_that_come_too_late_or_belong_to_nothing_are_counted(until: Until) -> None:
    with LocalTeam(worker('a', 1)) as team:
        def reply(correlation: str) -> None:
            team.bus.send('local_team', Event.create('reply', 1, source='a', stamp_ns=1, correlation_id=correlation))
        asked = []
        team.bus.receive('a', asked.append)
        team.request('a', 'work.do')
        reply(asked[0].id)
        reply('f' * 32)
        until(lambda: team.host.counts()['local_team'].get('unknown_replies') == 1)
        assert team.host.counts()['local_team']['late_replies'] == 1
