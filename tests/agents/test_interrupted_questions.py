"""Hosts and routers die over questions and events: each is handled once, and who asks hears what came of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from loom import Agent, Event
from loom.act.capability import INTERRUPTED
from loom.agents.host import AgentHost
from loom.core.clock import SystemClock
from loom.core.errors import AgentError, ConfigError, DeadlineError
from loom.core.local_bus import LocalBus
from loom.reason.answer import Answer, Request
from loom.reason.router import ModelRouter
from loom.reason.server import ModelServer

sys.path.append(str(Path(__file__).resolve().parent))
from mortals import CALL_S, Mortal, MortalTeam

Until = Callable[..., None]


def test_a_question_whose_process_died_is_answered_with_that(team: MortalTeam, until: Until) -> None:
    once, again = team.request('worker.ask', 1), team.request('worker.again', 1)
    until(lambda: len(team.did) == 2)
    team.kill_host()
    team.start_host()
    with pytest.raises(AgentError, match="'worker' was ended while it worked on worker.ask; some of it may") as died:
        once.result()
    assert died.value.code == INTERRUPTED and again.result() == 'worker.again 2'
    assert team.did.count('worker.ask') == 1
    assert (team.counts()['interrupted'], team.counts()['handled']) == (1, 1)


def test_a_question_that_waits_while_its_process_dies_is_answered_by_the_next(team: MortalTeam) -> None:
    team.kill_host()
    asked = team.request('worker.ask', 0)
    team.start_host()
    assert asked.result() == 'worker.ask 1'


def test_a_question_whose_answer_was_lost_is_answered_with_that(team: MortalTeam, until: Until) -> None:
    asked = team.request('worker.ask', 1)
    until(lambda: team.did)
    team._host_bus.send = lambda address, event: None  # type: ignore[method-assign]
    team.did.append('worker.ask')
    until(lambda: team.counts().get('handled') == 1 and not team.host._runners[0].busy)
    team.kill_host()
    team.start_host()
    with pytest.raises(AgentError, match='has answered worker.ask, and the answer was lost'):
        asked.result()
    assert len(team.did) == 2


def test_events_that_are_heard_again_after_a_kill_are_handled_once(team: MortalTeam, until: Until) -> None:
    done = [Event.create('told.once', 0, source='test', stamp_ns=1) for _ in range(5)]
    begun = [Event.create(type, 1, source='test', stamp_ns=1) for type in ('told.once', 'told.again')]
    team.did += ['told.once'] * 2
    for event in done:
        team.bus.publish(event)
    until(lambda: team.counts().get('handled') == 5)
    team.did.clear()
    for event in begun:
        team.bus.publish(event)
    until(lambda: len(team.did) == 2)
    team.kill_host()
    team.start_host()
    # As a reader hears what its writers still keep.
    for event in [*done, *begun]:
        team.bus.publish(event)
    until(lambda: (team.counts().get('duplicate'), team.counts().get('interrupted')) == (5, 1))
    until(lambda: team.did == ['told.once', 'told.again', 'told.again'])


def test_a_model_that_dies_over_a_question_is_asked_again(team: MortalTeam, until: Until) -> None:
    asked: list[float] = []

    class Slow:
        name, tasks, local = 'slow', ('think',), True

        def infer(self, request: Request, on_token: Any, cancelled: Any) -> Answer:
            asked.append(request.deadline_s)
            if len(asked) == 1:
                time.sleep(0.2)
            return Answer(f'answer {len(asked)}', self.name, 1.0)

    @contextmanager
    def router() -> Iterator[Mortal]:
        bus, models = Mortal(team.bus), ModelRouter([Slow()])
        server = ModelServer(bus, team.clock, models)
        yield bus
        server.close()
        models.close()
    thought = team.ask(lambda ctx: ctx.think('what now?', deadline_s=CALL_S))
    with router() as first:
        until(lambda: asked)
        first.dead = True
        with router():
            assert thought.result().text == 'answer 2'
    began_s = time.monotonic()
    with pytest.raises(DeadlineError, match="'model_router' did not answer"):
        team.ask(lambda ctx: ctx.think('and now?', deadline_s=0.2)).result()
    assert time.monotonic() - began_s < 2.0


def test_of_two_hosts_with_one_journal_the_second_is_refused(tmp_path: Path) -> None:
    buses = [LocalBus(), LocalBus()]
    with AgentHost(buses[0], SystemClock(), Agent('guard'), journal=tmp_path) as first:
        second = AgentHost(buses[1], SystemClock(), Agent('other'), Agent('guard'), journal=tmp_path)
        with pytest.raises(ConfigError, match=r"an agent named 'guard' runs already: process \d+ has its journal"):
            second.start()
        assert second.cards()[1].state == 'inactive' and first.cards()[0].state == 'active'
        # What it had opened before it was refused is free again.
        AgentHost(buses[1], SystemClock(), Agent('other'), journal=tmp_path).__enter__().stop()
    with second:
        assert second.cards()[1].state == 'active'
