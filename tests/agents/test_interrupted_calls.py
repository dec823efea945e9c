"""Hosts and brokers die over capability calls: each is carried out once, and its caller hears what came of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loom import Event
from loom.act.capability import AWAY, INTERRUPTED, UNKNOWN
from loom.agents import context
from loom.core.errors import CapabilityError, DeadlineError
from loom.core.event import new_id

sys.path.append(str(Path(__file__).resolve().parent))
from mortals import MortalTeam

Until = Callable[..., None]


def test_an_idempotent_call_is_carried_out_again_by_the_next_process(team: MortalTeam, until: Until) -> None:
    call = team.act('put')
    until(lambda: team.did)
    team.kill_host()
    team.start_host()
    assert call.result() == '2' and len(set(team.did)) == 1


def test_another_call_is_never_carried_out_twice(team: MortalTeam, until: Until) -> None:
    call = team.act('push')
    until(lambda: team.did)
    team.kill_host()
    team.start_host()
    with pytest.raises(CapabilityError, match="'push' died while it ran; it may have been carried out in part") as died:
        call.result()
    assert died.value.code == INTERRUPTED and len(team.did) == 1
    # Nor by the one after that.
    team.kill_host()
    team.start_host()
    outcomes: list[Any] = []
    team.broker._done.clear()
    team.broker.invoke('push', {}, team.did[0], 0.0, outcomes.append)
    until(lambda: outcomes)
    assert outcomes[0]['error_code'] == INTERRUPTED and len(team.did) == 1


def test_without_its_journal_an_agent_does_not_carry_out_what_is_older(team: MortalTeam, until: Until) -> None:
    calls = [team.act(name) for name in ('push', 'put')]
    until(lambda: len(team.did) == 2)
    team.kill_host()
    team.start_host(journal=False)
    with pytest.raises(CapabilityError, match="'push' was called before the journal of 'worker' begins") as died:
        calls[0].result()
    assert died.value.code == INTERRUPTED and calls[1].result() == '2' and len(team.did) == 3
    assert team.act('push', hold=False).result() == '1'


@pytest.mark.parametrize('name', ['put', 'push'])
def test_a_call_goes_on_while_the_broker_dies_and_its_end_reaches_the_caller(team: MortalTeam, until: Until,
                                                                             name: str) -> None:
    call = team.act(name)
    until(lambda: team.did)
    team.kill_broker()
    team.start_broker()
    until(lambda: team.broker._open, 'the caller did not ask the new broker')
    # What holds it is that it was done once.
    team.did.append(team.did[0])
    assert call.result() == '2'
    assert team.broker.counts['done'] == 1


@pytest.mark.parametrize('name', ['put', 'push'])
def test_what_ends_while_no_broker_is_there_is_repeated_for_the_next(team: MortalTeam, until: Until, name: str) -> None:
    call = team.act(name)
    until(lambda: team.did)
    team.kill_broker()
    team.did.append(team.did[0])
    until(lambda: not team.host._runners[0]._calls.tasks())
    # Even by the agent's next process.
    team.kill_host()
    team.start_host()
    team.start_broker()
    assert call.result() == '2' and len(team.did) == 2


def test_the_card_says_what_is_idempotent(team: MortalTeam) -> None:
    card, = team.host.cards()
    assert {c.name: c.idempotent for c in card.capabilities} == {'put': True, 'push': False}


def test_a_new_broker_waits_for_the_directory_and_only_so_long(team: MortalTeam, until: Until) -> None:
    team.kill_broker()
    calls = [team.act('put', hold=False), team.act('putt', hold=False)]
    until(lambda: team._client.counts()['client'].get('repeated', 0) >= 2)
    team.start_broker(known=False)
    until(lambda: len(team.broker._open) == 2)
    assert not team.did
    team.meet()
    assert calls[0].result() == '1'
    with pytest.raises(CapabilityError, match="no capability named 'putt'; did you mean 'put'") as unknown:
        calls[1].result()
    assert unknown.value.code == UNKNOWN
    with pytest.raises(CapabilityError, match='no capability named'):
        team.act('fly').result()


def test_a_call_that_waits_for_the_directory_can_be_cancelled(team: MortalTeam) -> None:
    team.start_broker(known=False)
    outcomes: list[Any] = []
    team.broker.invoke('put', {}, new_id(), 0.0, outcomes.append)
    assert not outcomes
    team.broker.cancel(next(iter(team.broker._open)))
    assert [o['error_code'] for o in outcomes] == [104]


def test_a_call_waits_for_a_host_that_is_down_longer_than_anybody_waits_for_the_broker(
        team: MortalTeam, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, 'ACCEPT_S', 0.2)
    offered = team.host.cards()[0].capabilities
    team.kill_host()
    team.broker.update('host', (), offered)
    calls = [team.act('put', hold=False), team.act('push', hold=False)]
    until(lambda: len(team.broker._open) == 2)
    over_s = time.monotonic() + 2 * context.ACCEPT_S
    until(lambda: time.monotonic() > over_s)
    assert not team.did and not any(call.done() for call in calls)
    team.start_host()
    team.meet()
    assert [call.result() for call in calls] == ['1', '1'] and len(team.did) == 2


def test_a_host_that_stays_down_is_an_error_in_the_callers_time(team: MortalTeam) -> None:
    offered = team.host.cards()[0].capabilities
    team.kill_host()
    team.broker.update('host', (), offered)
    since_s = time.monotonic()
    with pytest.raises(CapabilityError, match="the host of its agent 'worker' is down") as away:
        team.ask(lambda ctx: ctx.act('put', deadline_s=0.3)).result()
    assert away.value.code == AWAY and 0.3 <= time.monotonic() - since_s < 1.3 and not team.did


def test_a_call_whose_time_is_over_is_not_begun_by_the_next_process(team: MortalTeam, until: Until) -> None:
    sent: list[Event] = []
    team.bus.receive('worker', sent.append)
    team.kill_host()
    with pytest.raises((CapabilityError, DeadlineError), match='did not'):
        team.ask(lambda ctx: ctx.act('push', deadline_s=0.1)).result()
    team.start_host()
    until(lambda: not team.broker._open)
    # As a reader hears what its writers still keep.
    for event in sent:
        team.bus.send('worker', event)
    until(lambda: team.bus.counts().get('expired'))
    assert not team.did and any(event.type == 'capability.call' for event in sent)


def test_a_living_agent_is_asked_again_and_goes_on(team: MortalTeam, until: Until) -> None:
    call = team.act('push')
    until(lambda: team.broker.counts['again'] >= 3)
    assert len(team.did) == 1
    team.did.append(team.did[0])
    assert call.result() == '2'
    assert len(team.did) == 2 and not team._client.counts()['client'].get('late_replies')
