"""market_analyst: five agents judge a stock; two of three analyses are enough, and rules stand in for the model.

The market is made up: prices and headlines come from a dice that the symbol's name seeds.
"""

from __future__ import annotations

import random
import statistics
from itertools import pairwise
from typing import Any, Literal

from pydantic import BaseModel, Field

from loom.agents import teamwork
from loom.agents.agent import Agent
from loom.agents.context import Context
from loom.agents.example import Example
from loom.core.errors import CapabilityError, DeadlineError, ModelError
from loom.core.event import Event

ANALYSTS = ('market_trend', 'market_risk', 'market_mood')
ENOUGH = 2
DAYS = 120
SHORT, LONG = 10, 50
CALM, WILD = 0.01, 0.03
HEADLINES = ('record orders for {}', '{} wins a prize for safety', '{} grows again', '{} recalls a product',
             'a court fines {}', '{} warns of losses', '{} opens a new factory')
GOOD, BAD = {'record', 'wins', 'grows', 'opens'}, {'recalls', 'fines', 'warns', 'losses'}
Action = Literal['buy', 'hold', 'sell']


class Settings(BaseModel):
    """How long to wait, in seconds."""

    analysis_s: float = Field(default=2.0, gt=0, le=60, description='For the analyses.')
    think_s: float = Field(default=5.0, gt=0, le=60, description='For the model.')


class Plan(BaseModel):
    """What to do, why, and what it is based on; `missing` says which analyses did not come and why."""

    symbol: str
    action: Action
    reason: str
    decided_by: str
    scores: dict[str, float]
    missing: dict[str, str]


analyst = Agent('market_analyst', config=Settings())
feed, trend, risk, mood = (Agent(name) for name in ('market_feed', *ANALYSTS))


@analyst.capability(timeout_s=60.0)
async def analyse_market(ctx: Context, symbol: str) -> Plan:
    """Say whether to buy, hold or sell a stock of the made-up market."""
    if not symbol.isalpha() or len(symbol) > 8:
        raise CapabilityError(f'symbol must have 1 to 8 letters, got {symbol[:40]!r}')
    data = await ctx.request('market_feed', 'market.data', symbol.upper())
    answers = await teamwork.ask_all(ctx, ANALYSTS, 'market.analyse', data, least=ENOUGH,
                                     timeout_s=ctx.config.analysis_s)
    scores = {name: float(value['score']) for name, value in answers.values.items()}
    reasons = '; '.join(value['reason'] for value in answers.values.values())
    action, decided_by = await _decide(ctx, symbol, scores, reasons)
    return Plan(symbol=symbol.upper(), action=action, reason=reasons, decided_by=decided_by, scores=scores,
                missing={name: str(error) for name, error in answers.errors.items()})


async def _decide(ctx: Context, symbol: str, scores: dict[str, float], reasons: str) -> tuple[Action, str]:
    """What a model says in one word; what the rules say where it can't be asked or says something else."""
    try:
        answer = await ctx.think(f'{symbol}: {reasons}. Answer with one word: buy, hold or sell.',
                                 deadline_s=ctx.config.think_s)
        words = set(answer.text.lower().replace('.', ' ').split())
        for action in ('buy', 'hold', 'sell'):
            if words == {action}:
                return action, answer.backend
        ctx.log.warning('the model must answer buy, hold or sell, got %r', answer.text[:80])
    except (ModelError, DeadlineError) as error:
        ctx.log.info('decided by rules: %s', error)
    return by_rules(scores), 'rules'


def by_rules(scores: dict[str, float]) -> Action:
    """The action for the mean of the scores, each from -1 (sell) to 1 (buy)."""
    mean = statistics.fmean(scores.values())
    return 'buy' if mean > 0.2 else 'sell' if mean < -0.2 else 'hold'


@feed.on('market.data')
async def market_data(ctx: Context, event: Event) -> dict[str, Any]:
    """Prices of the last 120 days and headlines of a symbol."""
    dice, prices = random.Random(str(event.data)), [100.0]
    drift = dice.uniform(-0.003, 0.003)
    while len(prices) < DAYS:
        prices.append(round(prices[-1] * (1 + dice.gauss(drift, dice.uniform(CALM / 2, WILD))), 2))
    return {'prices': prices, 'headlines': [text.format(event.data) for text in dice.sample(HEADLINES, 3)]}


@trend.on('market.analyse')
async def judge_trend(ctx: Context, event: Event) -> dict[str, Any]:
    """Whether the short mean of the prices is above the long one."""
    prices = event.data['prices']
    gain = statistics.fmean(prices[-SHORT:]) / statistics.fmean(prices[-LONG:]) - 1
    return _judged(gain * 10, f'the {SHORT}-day mean is {gain:+.1%} from the {LONG}-day mean')


@risk.on('market.analyse')
async def judge_risk(ctx: Context, event: Event) -> dict[str, Any]:
    """How much the prices jump from day to day."""
    prices = event.data['prices']
    swing = statistics.pstdev(b / a - 1 for a, b in pairwise(prices))
    return _judged(1 - 2 * (swing - CALM) / (WILD - CALM), f'prices move by {swing:.1%} a day')


@mood.on('market.analyse')
async def judge_mood(ctx: Context, event: Event) -> dict[str, Any]:
    """Whether the headlines are good or bad news."""
    words = ' '.join(event.data['headlines']).lower().split()
    good, bad = sum(word in GOOD for word in words), sum(word in BAD for word in words)
    return _judged((good - bad) / max(good + bad, 1), f'{good} good and {bad} bad words in the news')


def _judged(score: float, reason: str) -> dict[str, Any]:
    return {'score': round(max(-1.0, min(score, 1.0)), 3), 'reason': reason}


def shown(plan: dict[str, Any]) -> str:
    """The plan for people."""
    missing = ''.join(f'\nwithout {name}: {reason}' for name, reason in plan['missing'].items())
    return f'{plan["symbol"]}: {plan["action"]}, decided by {plan["decided_by"]}: {plan["reason"]}{missing}'


market_analyst = Example((analyst, feed, trend, risk, mood), 'analyse_market', {'symbol': 'LOOM'}, shown)
