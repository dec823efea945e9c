"""Teamwork where messages are late, lost or doubled and agents die: no hang, no leak, what was promised or its error.

Time is made up: the loop jumps to the next thing that is due, and where nothing is due any more, it hangs and fails.
"""

from __future__ import annotations

import asyncio
import logging
import random
import selectors
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom import Agent, Context, Event
from loom.agents import teamwork
from loom.agents.runner import Runner
from loom.core.clock import NANOSECONDS
from loom.core.errors import AgentError
from loom.core.ledger import Ledger
from loom.core.local_bus import LocalBus

NAMES = ('a', 'b', 'c', 'd')
CASES = settings(max_examples=60, deadline=None, derandomize=True)
FAULTS = st.builds(lambda **faults: faults, seed=st.integers(0, 10**6), late=st.floats(0, 1), lost=st.floats(0, 0.5),
                   double=st.floats(0, 0.5), deaths=st.lists(st.tuples(st.sampled_from(NAMES), st.floats(0, 3)),
                                                             max_size=3))


class Jumps(selectors.SelectSelector):
    """Waits by moving the time of its loop."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if timeout is None and not ready:
            raise AssertionError('nothing is due any more and somebody still waits')
        if not ready:
            self.now_s += timeout or 0.0
        return ready


class MadeUpLoop(asyncio.SelectorEventLoop):
    """A loop and clock in which waiting takes no time."""

    def __init__(self) -> None:
        self._jumps = Jumps()
        super().__init__(self._jumps)

    def time(self) -> float:
        return self._jumps.now_s

    def now_ns(self) -> int:
        return round((1 + self.time()) * NANOSECONDS)


class Weather(LocalBus):
    """A bus whose mailboxes get messages late, out of order, twice or never."""

    def __init__(self, loop: MadeUpLoop, seed: int, late: float, lost: float, double: float, **_: Any) -> None:
        super().__init__(loop)
        self._loop, self._dice = loop, random.Random(seed)
        self._late, self._lost, self._double = late, lost, double

    def send(self, address: str, event: Event) -> None:
        for _ in range(2 if self._dice.random() < self._double else 1):
            if self._dice.random() >= self._lost:
                delay_s = self._dice.choice((0.0, 0.01, 0.3, 2.0)) if self._dice.random() < self._late else 0.0
                self._loop.call_later(delay_s, super().send, address, event)


class Crew:
    """Agents on a loop with made-up time; `lead` is never hurt."""

    def __init__(self, faults: dict[str, Any], *agents: Agent) -> None:
        self.loop = MadeUpLoop()
        self.bus = Weather(self.loop, **faults)
        self.lead = Runner(Agent('lead'), self.bus, self.loop, None, self.loop, Ledger())
        self.runners = {a.name: Runner(a, self.bus, self.loop, None, self.loop, Ledger()) for a in agents}
        self._deaths = faults['deaths']
        self._dying: list[asyncio.Task[None]] = []

    def _die(self, name: str) -> None:
        self._dying.append(self.loop.create_task(self.runners[name].close()))

    async def _do(self, work: Callable[[Context], Coroutine[Any, Any, Any]]) -> Any:
        for runner in (self.lead, *self.runners.values()):
            runner.open()
        for name, at_s in self._deaths:
            self.loop.call_later(at_s, self._die, name)
        try:
            return await work(self.lead.context())
        finally:
            # Until the last of what is on its way has arrived or timed out.
            await asyncio.sleep(60.0)
            assert not self.lead._exchange._pending and not len(self.lead._exchange.meetings)
            for runner in self.runners.values():
                assert not runner._exchange._pending and not len(runner._exchange.meetings)
            for runner in (self.lead, *self.runners.values()):
                await runner.close()
                assert not runner._requests.tasks()
            assert asyncio.all_tasks() == {asyncio.current_task(), *(t for t in self._dying if not t.done())}

    def do(self, work: Callable[[Context], Coroutine[Any, Any, Any]]) -> Any:
        return self.loop.run_until_complete(self._do(work))


@pytest.fixture(autouse=True)
def _silent() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@contextmanager
def crew(faults: dict[str, Any], *agents: Agent) -> Iterator[Crew]:
    made = Crew(faults, *agents)
    try:
        yield made
    finally:
        made.loop.close()


def worker(name: str, log: list[Any]) -> Agent:
    agent = Agent(name, concurrency=4)

    @agent.on('job.do', 'job.call')
    async def do(ctx: Context, event: Event) -> str:
        await asyncio.sleep(0.1)
        return ctx.agent

    @agent.on('job.award')
    async def award(ctx: Context, event: Event) -> str:
        await asyncio.sleep(1.0)
        log.append(ctx.agent)
        return f'by {ctx.agent}'

    @agent.on('job.meet')
    async def meet(ctx: Context, event: Event) -> None:
        log.append(('came', ctx.agent))
        await teamwork.barrier(ctx, 'here', NAMES, timeout_s=5.0)
        log.append(('passed', ctx.agent))

    return agent


def team(log: list[Any]) -> list[Agent]:
    return [worker(name, log) for name in NAMES]


@CASES
@given(faults=FAULTS, least=st.integers(1, 4))
def test_fan_out_brings_enough_or_says_who_is_missing(faults: dict[str, Any], least: int) -> None:
    with crew(faults, *team([])) as made:
        async def work(ctx: Context) -> None:
            for ask in (teamwork.ask_all(ctx, NAMES, 'job.do', least=least, timeout_s=3.0),
                        teamwork.ask_first(ctx, NAMES, 'job.do', count=least, timeout_s=3.0),
                        teamwork.ask_quorum(ctx, NAMES, 'job.do', agreed=lambda a: len(a.values) >= least,
                                            timeout_s=3.0)):
                began_s = made.loop.time()
                try:
                    answers = await ask
                    assert len(answers.values) >= least and all(k == v for k, v in answers.values.items())
                except AgentError as error:
                    assert str(error).startswith('at least ') or 'must satisfy' in str(error)
                assert made.loop.time() - began_s <= 3.01
        made.do(work)


@CASES
@given(faults=FAULTS)
def test_a_contract_is_fulfilled_or_says_why_not(faults: dict[str, Any]) -> None:
    log: list[Any] = []
    with crew(faults, *team(log)) as made:
        async def work(ctx: Context) -> None:
            began_s = made.loop.time()
            try:
                award = await teamwork.contract(ctx, NAMES, 'job', score=lambda bid: ord(bid), bid_s=1.0, work_s=10.0)
                assert award.result == f'by {award.agent}' and award.agent in log and award.agent not in award.failed
            except AgentError as error:
                assert 'job must be done by one of a, b, c, d within 10 s' in str(error)
            assert made.loop.time() - began_s <= 11.01
        made.do(work)


@CASES
@given(faults=FAULTS)
def test_nobody_passes_a_barrier_before_all_have_come(faults: dict[str, Any]) -> None:
    log: list[Any] = []
    with crew(faults, *team(log)) as made:
        async def work(ctx: Context) -> None:
            for number, name in enumerate(NAMES):
                made.loop.call_later(number * 0.2, ctx.tell, name, 'job.meet')
        made.do(work)
    came = {entry: place for place, entry in reversed(list(enumerate(log))) if entry[0] == 'came'}
    for place, entry in enumerate(log):
        if entry[0] == 'passed':
            assert len(came) == len(NAMES) and max(came.values()) < place


@CASES
@given(faults=FAULTS)
def test_a_pipeline_ends_with_its_result_or_the_stage(faults: dict[str, Any]) -> None:
    with crew(faults, *team([])) as made:
        async def work(ctx: Context) -> None:
            began_s = made.loop.time()
            try:
                assert await teamwork.pipeline(ctx, [(name, 'job.do') for name in NAMES], timeout_s=4.0) == 'd'
            except AgentError as error:
                assert str(error).startswith('stage ') and 'of 4, job.do by' in str(error)
            assert made.loop.time() - began_s <= 4.01
        made.do(work)


def test_without_faults_everything_succeeds_and_a_dead_winner_is_replaced() -> None:
    log: list[Any] = []
    calm = {'seed': 1, 'late': 0.0, 'lost': 0.0, 'double': 0.0, 'deaths': [('d', 0.6)]}
    with crew(calm, *team(log)) as made:
        award = made.do(lambda ctx: teamwork.contract(ctx, NAMES, 'job', score=lambda bid: ord(bid), bid_s=0.5))
    assert (award.agent, list(award.failed), log) == ('c', ['d'], ['c'])
    assert "'d' did not answer job.award and gave no sign for 1 s" in str(award.failed['d'])
