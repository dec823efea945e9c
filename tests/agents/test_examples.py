"""The ready examples: what they give, with a model, without one, and with parts missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loom import LocalTeam
from loom.agents import catalogue
from loom.agents.example import Example
from loom.agents.library.market_analyst import by_rules, market_analyst
from loom.agents.library.search_party import BREAKS_AFTER_M, SCOUTS, search_party
from loom.agents.library.trio import trio
from loom.core.errors import CapabilityError, ConfigError, ModelError
from loom.reason.answer import Answer, Request

WAREHOUSE = Path(__file__).parents[2] / 'sim' / 'worlds' / 'warehouse.sdf'


class Model:
    """Answers everything with one text, or fails."""

    name, tasks, local = 'stub', ('think',), True

    def __init__(self, text: str) -> None:
        self._text = text

    def infer(self, request: Request, on_token: Any, cancelled: Any) -> Answer:
        if not self._text:
            raise ModelError('the server is on fire', 204)
        return Answer(self._text, self.name)


def result(example: Example, without: str = '', model: str | None = None, settings: tuple[str, ...] = (),
           **arguments: Any) -> Any:
    agents = [agent for agent in example.agents if agent.name != without]
    backends = [] if model is None else [Model(model)]
    with LocalTeam(*agents, backends=backends, settings=settings) as team:
        return team.act(example.capability, deadline_s=20.0, **{**example.arguments, **arguments})


def test_the_market_analyst_decides_by_rules_without_a_model() -> None:
    plan = result(market_analyst)
    assert plan['decided_by'] == 'rules' and set(plan['scores']) == {'market_trend', 'market_risk', 'market_mood'}
    assert plan['action'] == by_rules(plan['scores']) and not plan['missing']
    assert result(market_analyst) == plan and market_analyst.shown(plan).startswith('LOOM: ')


def test_the_market_analyst_follows_the_model_where_that_answers() -> None:
    plan = result(market_analyst, model='Sell.')
    assert (plan['action'], plan['decided_by']) == ('sell', 'stub')


@pytest.mark.parametrize('model', ['', 'Buy or sell, as you like.'])
def test_the_market_analyst_decides_by_rules_where_the_model_fails(model: str) -> None:
    assert result(market_analyst, model=model)['decided_by'] == 'rules'


@pytest.mark.parametrize('missing', ['market_trend', 'market_risk', 'market_mood'])
def test_two_of_three_analyses_are_enough(missing: str) -> None:
    plan = result(market_analyst, without=missing, model='', settings=('market_analyst.analysis_s=0.1',))
    assert len(plan['scores']) == 2 and list(plan['missing']) == [missing]
    assert plan['action'] in ('buy', 'hold', 'sell') and f'without {missing}: ' in market_analyst.shown(plan)


def test_one_analysis_is_not_enough() -> None:
    few = Example(tuple(a for a in market_analyst.agents if a.name != 'market_risk'), 'analyse_market', {'symbol': 'X'})
    with pytest.raises(CapabilityError, match='at least 2 of 3 must answer market.analyse, 1 did'):
        result(few, without='market_mood', settings=('market_analyst.analysis_s=0.1',))


def test_a_symbol_is_letters() -> None:
    with pytest.raises(CapabilityError, match="symbol must have 1 to 8 letters, got '9'"):
        result(market_analyst, symbol='9')


def test_the_trio_writes_from_what_the_modules_say() -> None:
    article = result(trio, topic='mailbox')
    assert article['text'].startswith('About mailbox:\n- ') and 'agents.mailbox' in article['sources']
    assert result(trio, topic='zzzz', model='Zzzz?')['text'] == 'Nothing is known here about zzzz.'
    assert result(trio, model='Mailboxes are bounded.')['text'] == 'Mailboxes are bounded.'


@pytest.mark.parametrize('breaks', ['', 'scout_two'])
def test_the_search_party_visits_every_place_even_where_a_robot_breaks_down(breaks: str) -> None:
    report = result(search_party, world=str(WAREHOUSE), breaks=breaks)
    robots = {visit['place']: visit['robot'] for visit in report['visits']}
    assert set(robots) == {'aisle_a', 'aisle_b', 'charger', 'dock', 'packing'}
    # The broken one may have been where it had no way to go.
    far = {visit['robot'] for visit in report['visits'] if visit['distance_m'] > BREAKS_AFTER_M + 0.2}
    assert far == {'scout_one'} if breaks else far <= set(SCOUTS)
    assert report['broken'] == [breaks] * bool(breaks)
    assert {'red_crate', 'yellow_barrel', 'blue_ball'} <= {name for v in report['visits'] for name in v['found']}
    assert len(search_party.shown(report).splitlines()) == 5 + bool(breaks)


def test_examples_are_found_by_name() -> None:
    assert catalogue.example('trio') is trio and catalogue.example('market_analyst') is market_analyst
    assert catalogue.example('navigator') is None and catalogue.example('fetch_report') is None
    with pytest.raises(ConfigError, match="'trio' is an example of several agents; start it with: loom run trio"):
        catalogue.agent('trio')
