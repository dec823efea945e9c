"""Ways for agents to work together. Each ends by its deadline, with what it promises or with an AgentError.

Whoever is asked for something that is no longer wanted is told, and what it does for it is cancelled. An answer that
comes after that is counted (`late_replies`). Names of agents are their mailboxes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from loom.agents.context import Context
from loom.agents.meetings import ARRIVE
from loom.core.errors import AgentError, BusyError, LoomError

TIMEOUT_S = 5.0
SILENCE_S = 1.0


@dataclass
class Answers:
    """What several agents answered, and why others did not; in the order in which it came."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, LoomError] = field(default_factory=dict)

    def missing(self, agents: Iterable[str]) -> str:
        """Which of the agents did not answer, and why, for people."""
        return '; '.join(f'{agent}: {self.errors.get(agent, "no answer yet")}' for agent in agents
                         if agent not in self.values)


Enough = Callable[[Answers], bool]


@dataclass(frozen=True)
class Award:
    """Who carried a task out for which bid, and what came of it; `failed` says who was tried before."""

    agent: str
    bid: Any
    result: Any
    failed: dict[str, LoomError]


async def ask_all(ctx: Context, agents: Iterable[str], type: str, data: Any = None, *, least: int | None = None,
                  timeout_s: float = TIMEOUT_S) -> Answers:
    """Asks all and waits for all; AgentError where fewer than `least` (default: all) answer within `timeout_s`."""
    asked = _distinct(agents)
    answers = await _ask(ctx, asked, type, data, lambda answers: False, timeout_s)
    return _checked(answers, asked, type, len(asked) if least is None else least)


async def ask_first(ctx: Context, agents: Iterable[str], type: str, data: Any = None, *, count: int = 1,
                    timeout_s: float = TIMEOUT_S) -> Answers:
    """Asks all and takes the first `count` answers; AgentError as soon as so many can't come any more."""
    asked = _distinct(agents)
    answers = await _ask(ctx, asked, type, data, lambda answers: len(answers.values) >= count
                         or len(asked) - len(answers.errors) < count, timeout_s)
    return _checked(answers, asked, type, count)


async def ask_quorum(ctx: Context, agents: Iterable[str], type: str, data: Any = None, *, agreed: Enough,
                     timeout_s: float = TIMEOUT_S) -> Answers:
    """Asks all until `agreed(answers)` holds; AgentError where it never does."""
    asked = _distinct(agents)
    answers = await _ask(ctx, asked, type, data, agreed, timeout_s)
    if not agreed(answers):
        raise AgentError(f'the answers of {", ".join(asked)} to {type} must satisfy {agreed.__name__!r} within '
                         f'{timeout_s:g} s and do not; {answers.missing(asked) or "all answered"}')
    return answers


async def contract(ctx: Context, agents: Iterable[str], task: str, data: Any = None, *,
                   score: Callable[[Any], float], bid_s: float = 1.0, work_s: float = 60.0,
                   silence_s: float = SILENCE_S) -> Award:
    """Has a task done by the agent whose bid scores highest, and by the next where that one dies, hangs or fails.

    Agents answer `<task>.call` with a bid (None: no interest), `<task>.award` by doing it; the others hear
    `<task>.lost` when the winner has shown that it works, and may still get the award where that one fails later.
    AgentError where nobody bids, or nobody does it within `work_s`.
    """
    asked = _distinct(agents)
    answers = await _ask(ctx, asked, f'{task}.call', data, lambda answers: False, bid_s)
    bids = {agent: bid for agent, bid in answers.values.items() if bid is not None}
    ranked = sorted(bids, key=lambda agent: (-score(bids[agent]), asked.index(agent)))
    until_s, failed = _now_s() + work_s, dict[str, LoomError]()
    for place, winner in enumerate(ranked):
        left_s = until_s - _now_s()
        if left_s <= 0:
            break
        try:
            result = await ctx.request(winner, f'{task}.award', {'task': data, 'bid': bids[winner]}, left_s, silence_s,
                                       partial(_tell_losers, ctx, task, winner, ranked[place + 1:]))
        except LoomError as error:
            failed[winner] = error
        else:
            return Award(winner, bids[winner], result, failed)
    reasons = '; '.join(f'{agent}: {error}' for agent, error in failed.items()) or answers.missing(asked)
    raise AgentError(f'{task} must be done by one of {", ".join(asked)} within {work_s:g} s; '
                     f'{len(ranked)} bid, none did it: {reasons or "nobody is interested"}')


async def barrier(ctx: Context, name: str, agents: Iterable[str], *, timeout_s: float = TIMEOUT_S) -> None:
    """Goes on when all these agents have come to this barrier; AgentError where one does not within `timeout_s`.

    A name is for one meeting: agents who meet again use another.
    """
    with ctx.arrive(name) as waited:
        others = [agent for agent in agents if agent != ctx.agent and agent not in waited]
        await ask_all(ctx, others, ARRIVE, {'name': name, 'timeout_s': timeout_s}, timeout_s=timeout_s)


async def pipeline(ctx: Context, stages: Sequence[tuple[str, str]], data: Any = None, *,
                   timeout_s: float = TIMEOUT_S) -> Any:
    """Passes data through `(agent, type)` stages, each getting what the one before gave; gives what the last gives.

    AgentError names the stage that failed, or did not end before `timeout_s` were over for all of them.
    """
    until_s = _now_s() + timeout_s
    for number, (agent, type) in enumerate(stages, 1):
        try:
            data = await ctx.request(agent, type, data, max(until_s - _now_s(), 0.0))
        except LoomError as error:
            raise AgentError(f'stage {number} of {len(stages)}, {type} by {agent!r}, failed: {error}') from error
    return data


async def broadcast(ctx: Context, agents: Iterable[str], type: str, data: Any = None, *, thread_id: str = '') -> None:
    """Tells all members of a conversation but oneself; `thread_id` is it, by default that of the event at hand."""
    thread_id = thread_id or (ctx.event.thread_id or ctx.event.id if ctx.event else '')
    for agent in _distinct(agents):
        if agent != ctx.agent:
            ctx.tell(agent, type, data, thread_id=thread_id)


async def _ask(ctx: Context, agents: list[str], type: str, data: Any, enough: Enough, timeout_s: float) -> Answers:
    """What came until there was enough, all had answered or failed, or the time was over; the rest is cancelled."""
    answers = Answers()
    asked = {asyncio.ensure_future(ctx.request(agent, type, data, timeout_s)): agent for agent in agents}
    waiting = set(asked)
    try:
        while waiting and not enough(answers):
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(done, key=lambda task: agents.index(asked[task])):
                if not enough(answers):
                    _note(answers, asked[task], task)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    return answers


def _note(answers: Answers, agent: str, task: asyncio.Future[Any]) -> None:
    try:
        answers.values[agent] = task.result()
    except LoomError as error:
        answers.errors[agent] = error


def _tell_losers(ctx: Context, task: str, winner: str, losers: list[str]) -> None:
    for loser in losers:
        with suppress(BusyError):
            ctx.tell(loser, f'{task}.lost', {'winner': winner})


def _checked(answers: Answers, asked: list[str], type: str, least: int) -> Answers:
    if len(answers.values) < least:
        raise AgentError(f'at least {least} of {len(asked)} must answer {type}, {len(answers.values)} did; '
                         f'{answers.missing(asked)}')
    return answers


def _distinct(agents: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(agents))


def _now_s() -> float:
    return asyncio.get_running_loop().time()
