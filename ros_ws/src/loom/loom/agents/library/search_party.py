"""search_party: two robots share out the places of a warehouse by contract net and say what they find there.

Who is nearer by the way through the map goes; where one breaks down, the other takes over. The drives are made up: a
point goes along the planned path, faster than a robot would.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, Field

from loom.act.body import Floats, Grid
from loom.act.planner import Field as Distances
from loom.act.planner import field_of, plan
from loom.agents import teamwork
from loom.agents.agent import Agent
from loom.agents.context import Context
from loom.agents.example import Example
from loom.core.errors import AgentError, RefusedError
from loom.core.event import Event
from loom.sim.occupancy import rasterise
from loom.sim.shape import World
from loom.sim.world import read_world

SCOUTS = {'scout_one': 'charger', 'scout_two': 'aisle_a'}
RESOLUTION_M = 0.1
RADIUS_M = 0.25
STEP_S = 0.004
SEE_M = 2.5
BREAKS_AFTER_M = 1.0
BID_S, WORK_S = 5.0, 20.0
AGAIN_S = 0.05
ATTEMPTS = 100


class Visit(BaseModel):
    """Who went to a place, how far it was in metres, and what it saw."""

    place: str
    robot: str
    distance_m: float
    found: list[str]


class Report(BaseModel):
    """The visits in the order in which they ended, and which robots broke down."""

    visits: list[Visit]
    broken: list[str]


class Home(BaseModel):
    """Where a robot begins."""

    place: str = Field(description='Name of a place of the world.')


leader = Agent('search_party')


@leader.on('scout.broken')
async def note(ctx: Context, event: Event) -> None:
    """Keeps who broke down."""
    await ctx.remember('broken', [*ctx.recall('broken', []), event.sender])


@leader.capability(timeout_s=120.0)
async def search(ctx: Context, world: str, breaks: str = '') -> Report:
    """Have every place of a world visited; the robot named by `breaks` breaks down on its first way."""
    places, visits = deque(sorted((await asyncio.to_thread(read_world, Path(world))).places)), list[Visit]()

    async def share() -> None:
        while places:
            visits.append(await _visit(ctx, {'place': places.popleft(), 'world': world, 'breaks': breaks}))
    for fault in await asyncio.gather(*(share() for _ in SCOUTS), return_exceptions=True):
        if fault is not None:
            raise fault
    return Report(visits=visits, broken=ctx.recall('broken', []))


async def _visit(ctx: Context, task: dict[str, str]) -> Visit:
    """One place by contract; again while all robots are on their way elsewhere."""
    attempts = ATTEMPTS
    while True:
        try:
            award = await teamwork.contract(ctx, SCOUTS, 'scout', task, bid_s=BID_S, work_s=WORK_S,
                                            score=lambda bid: -float(bid['distance_m']))
            return Visit(place=task['place'], robot=award.agent, found=award.result, **award.bid)
        except AgentError:
            attempts -= 1
            if not attempts:
                raise
        await asyncio.sleep(AGAIN_S)


def _scout(name: str, home: str) -> Agent:
    """A robot that bids the length of its way and goes it."""
    agent = Agent(name, concurrency=4, config=Home(place=home))
    agent.on('scout.call')(bid)
    agent.on('scout.award')(go)
    return agent


async def bid(ctx: Context, event: Event) -> dict[str, float] | None:
    """The length of the way in metres; nothing while on another way, or broken."""
    if ctx.recall('state', 'free') != 'free':
        return None
    way = await asyncio.to_thread(_way, _here(ctx, event.data['world']), event.data['place'], event.data['world'])
    return {'distance_m': round(_length(way), 2)}


async def go(ctx: Context, event: Event) -> list[str]:
    """Goes there and tells what is near; RefusedError where it is on another way, AgentError where it breaks down."""
    task = event.data['task']
    if ctx.recall('state', 'free') != 'free':
        raise RefusedError(f'{ctx.agent} is {ctx.recall("state")}')
    await ctx.remember('state', 'on its way')
    way = await asyncio.to_thread(_way, _here(ctx, task['world']), task['place'], task['world'])
    for number, point in enumerate(way):
        await asyncio.sleep(STEP_S)
        await ctx.remember('here', [float(point[0]), float(point[1])])
        if task['breaks'] == ctx.agent and _length(way[:number + 1]) > BREAKS_AFTER_M:
            await ctx.remember('state', 'broken')
            await ctx.emit('scout.broken')
            raise AgentError(f'a wheel of {ctx.agent} came off')
    await ctx.remember('state', 'free')
    world, _ = _known(task['world'])
    x, y, _ = world.places[task['place']]
    return sorted(model.name for model in world.models if not model.static
                  and math.dist(model.pose.position[:2], (x, y)) <= SEE_M)


def _here(ctx: Context, world: str) -> tuple[float, float]:
    x, y = ctx.recall('here') or _known(world)[0].places[ctx.config.place][:2]
    return float(x), float(y)


def _way(here: tuple[float, float], place: str, world: str) -> Floats:
    known, distances = _known(world)
    return plan(distances, here, known.places[place][:2], RADIUS_M)


@lru_cache(maxsize=1)
def _known(path: str) -> tuple[World, Distances]:
    """A world and the distances to what stands in it."""
    world = read_world(Path(path))
    grid = rasterise(world, RESOLUTION_M)
    return world, field_of(Grid(grid.cells.astype(np.int8), grid.resolution_m, grid.origin_x, grid.origin_y))


def _length(way: Floats) -> float:
    return float(np.hypot(*np.diff(way, axis=0).T).sum())


def shown(report: dict[str, Any]) -> str:
    """Who went where and what is there, a line each."""
    lines = [f'{v["place"]}: {v["robot"]} went {v["distance_m"]:.1f} m and saw {", ".join(v["found"]) or "nothing"}'
             for v in report['visits']]
    return '\n'.join([*lines, *(f'{robot} broke down' for robot in report['broken'])])


scouts = tuple(_scout(name, home) for name, home in SCOUTS.items())
search_party = Example((leader, *scouts), 'search', {}, shown, 120.0, world='warehouse')
