"""navigator: drives the base, to places, by distances and by angles."""

from __future__ import annotations

import asyncio
import math
from typing import Any, Protocol

from loom.act.body import Floats, Motion, Pose2D, Relief, Scan
from loom.act.guide import Guide
from loom.act.maneuver import Straight, Turn
from loom.agents.agent import Agent
from loom.agents.context import Context
from loom.core.errors import CapabilityError, DeviceError, LoomError, nearest
from loom.core.event import Event
from loom.guard.limits import Footprint, Limits

START = 'start'
LOOK_S = 0.1
BLIND_S = 4.0
MAX_DRIVE_M = 20.0
MAX_TURN_RAD = 4 * math.pi
HERE_M = 1.2
LIMITS, FOOTPRINT = Limits(), Footprint()

navigator = Agent('navigator')


class Pilot(Protocol):
    """Something that leads the robot somewhere, step by step."""

    @property
    def arrived(self) -> bool:
        """Whether it is done."""
        ...

    def step(self, pose: Pose2D, scan: Floats, relief: Floats, now_s: float) -> tuple[float, float]:
        """(m/s, rad/s) for now."""
        ...


@navigator.capability(timeout_s=150.0)
async def go_to(ctx: Context, place: str) -> str:
    """Drive to a named place."""
    places = {**ctx.body.places(), **ctx.recall(START, {})}
    name = '_'.join(place.lower().split())
    if name not in places:
        raise CapabilityError(f'I know no place named {place!r}{nearest(name, list(places))}')
    await _go(ctx, places[name], f'go to {name}')
    return f'I am in the {name.replace("_", " ")}' if name != START else 'I am back'


@navigator.capability(timeout_s=120.0)
async def drive(ctx: Context, distance_m: float, speed_m_s: float = 0.3) -> str:
    """Drive straight ahead, or back where the distance is below zero."""
    if not 0.02 <= abs(distance_m) <= MAX_DRIVE_M or not 0.05 <= speed_m_s <= LIMITS.max_speed_m_s:
        raise CapabilityError(f'distance_m must be from 0.02 to {MAX_DRIVE_M:g} and speed_m_s from 0.05 to '
                              f'{LIMITS.max_speed_m_s:g}, got {distance_m} and {speed_m_s}')
    pilot = Straight(await _ready(ctx), distance_m, speed_m_s, LIMITS, FOOTPRINT)
    await _run(ctx, pilot, f'drive {distance_m:g} m')
    return 'done'


@navigator.capability(timeout_s=60.0)
async def turn(ctx: Context, angle_rad: float) -> str:
    """Turn on the spot, to the left where the angle is above zero."""
    if not abs(angle_rad) <= MAX_TURN_RAD:
        raise CapabilityError(f'angle_rad must be at most {MAX_TURN_RAD:.2f}, got {angle_rad}')
    await _run(ctx, Turn(await _ready(ctx), angle_rad, LIMITS), f'turn {angle_rad:.2f} rad')
    return 'done'


@navigator.capability(timeout_s=5.0)
async def stop(ctx: Context) -> str:
    """Stop every motion at once."""
    _preempt(ctx)
    ctx.body.propose(Motion(intent='stop', agent=ctx.agent))
    return 'stopped'


@navigator.capability(timeout_s=5.0)
async def where_am_i(ctx: Context) -> dict[str, Any]:
    """Say which place the robot is at."""
    pose, places = ctx.body.pose(), ctx.body.places()
    away = {name: math.hypot(x - pose.x, y - pose.y) for name, (x, y, _) in places.items()}
    place = min(away, key=lambda name: away[name]) if away else ''
    where = f'{"in" if away[place] < HERE_M else "near"} the {place.replace("_", " ")}' if place else 'nowhere I know'
    return {'place': place, 'x': round(pose.x, 3), 'y': round(pose.y, 3), 'yaw': round(pose.yaw, 3),
            'summary': f'I am {where}'}


@navigator.on('motion.goal')
async def drive_to_goal(ctx: Context, event: Event) -> None:
    """Drives to {x, y, yaw} in the map, as set in rviz."""
    goal = (float(event.data['x']), float(event.data['y']), float(event.data['yaw']))
    if not all(math.isfinite(value) for value in goal):
        raise CapabilityError(f'a goal must be finite, got {goal}')
    ctx.spawn(_drive_to_goal(ctx, goal))


async def _drive_to_goal(ctx: Context, goal: tuple[float, float, float]) -> None:
    try:
        await _go(ctx, goal, 'go to a goal pose')
    except LoomError as error:
        ctx.log.error('%s', error)


async def _go(ctx: Context, goal: tuple[float, float, float], intent: str) -> None:
    await _ready(ctx)
    await _run(ctx, Guide(ctx.body.grid(), goal, LIMITS, FOOTPRINT), intent)


async def _ready(ctx: Context) -> Pose2D:
    """The pose, once no other motion runs; the first ever is where `come back` leads."""
    _preempt(ctx)
    pose, _, _ = await _senses(ctx)
    if not ctx.recall(START):
        await ctx.remember(START, {START: (pose.x, pose.y, pose.yaw)})
    return pose


def _preempt(ctx: Context) -> None:
    running = ctx.recall('motion')
    if running is not None and running is not asyncio.current_task():
        running.cancel()


async def _run(ctx: Context, pilot: Pilot, intent: str) -> None:
    """Leads the robot until the pilot has arrived; the motion ends with whatever ends this."""
    task = asyncio.current_task()
    await ctx.remember('motion', task)
    try:
        while not pilot.arrived:
            if isinstance(pilot, Guide) and not pilot.ready:
                await asyncio.to_thread(pilot.prepare, ctx.body.pose(), _now_s(ctx))
                ctx.body.show_path(pilot.path)
            await _step(ctx, pilot, intent)
    finally:
        if ctx.recall('motion') is task:
            await ctx.remember('motion', None)
            ctx.body.propose(Motion(intent=f'end of {intent}', agent=ctx.agent))


async def _step(ctx: Context, pilot: Pilot, intent: str) -> None:
    await ctx.body.look(LOOK_S)
    pose, scan, relief = await _senses(ctx)
    halted = ctx.body.halted()
    if halted:
        raise CapabilityError(f'the base may not move: {halted}')
    linear, angular = pilot.step(pose, scan.points, relief.points, _now_s(ctx))
    ctx.body.propose(Motion(linear, angular, intent, ctx.agent, origin_ns=relief.stamp_ns))


async def _senses(ctx: Context) -> tuple[Pose2D, Scan, Relief]:
    """Pose, scan and relief; waits while they are stale, DeviceError when for too long."""
    deadline = asyncio.get_running_loop().time() + BLIND_S
    while True:
        try:
            return ctx.body.pose(), ctx.body.scan(), ctx.body.relief()
        except DeviceError:
            if asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(LOOK_S)


def _now_s(ctx: Context) -> float:
    return ctx.clock.now_ns() / 1e9
