"""fetch_report: a person sends the robot to the kitchen by voice and asks what it sees there."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

from loom.agents.agent import Agent
from loom.agents.context import Context
from loom.agents.exchange import Listener
from loom.core.errors import DeadlineError, DeviceError, LoomError
from loom.core.event import Event

NAME = 'fetch_report'
PLACE = 'kitchen'
WANTED = ('red', 'ball')
NEAR_M = 0.5
MISSION_S = 180.0
READY_S, HEARD_S, PERSON_S, DRIVE_S, REPORT_S = 20.0, 6.0, 60.0, 120.0, 45.0
ATTEMPTS = 3
Say = Callable[[str], object]


def mission(say: Say) -> Agent:
    """The mission as an agent; `say` speaks as the person (blocking); where it can't, a real one is waited for."""
    agent = Agent(NAME, listens=('command.understood', 'capability.finished', 'speaker.said'))

    # After a crash in the middle it begins again, from wherever the robot is.
    @agent.on('mission.start', idempotent=True)
    async def start(ctx: Context, event: Event) -> None:
        if event.data.get('mission') == NAME:
            await _carry_out(ctx, _Person(say))

    return agent


class _Person:
    """Says a sentence until the robot has understood it; where there is no virtual room, a real person does."""

    def __init__(self, say: Say) -> None:
        self._say = say

    async def asks(self, sentence: str, capability: str, understood: Listener) -> None:
        """Ends when the robot has understood; LoomError after three attempts or a minute's wait."""
        def is_it(event: Event) -> bool:
            return bool(event.data['capability'] == capability)
        for _ in range(ATTEMPTS):
            try:
                await asyncio.to_thread(self._say, sentence)
            except DeviceError as error:
                await self._waits(sentence, understood, is_it, str(error))
                return
            try:
                await understood.next(HEARD_S, is_it)
                return
            except DeadlineError:
                continue
        raise DeadlineError(f'the robot did not understand {sentence!r}, said {ATTEMPTS} times; is the microphone on?')

    async def _waits(self, sentence: str, understood: Listener, is_it: Callable[[Event], bool], why: str) -> None:
        try:
            await understood.next(PERSON_S, is_it)
        except DeadlineError:
            raise DeadlineError(f'nobody said {sentence!r} within {PERSON_S:g} s ({why})') from None


async def _carry_out(ctx: Context, person: _Person) -> None:
    timings: dict[str, float] = {}
    began, report, reason = time.monotonic(), '', ''
    try:
        report = await asyncio.wait_for(_steps(ctx, person, timings), MISSION_S)
    except asyncio.TimeoutError:
        reason = (f'the mission must end within {MISSION_S:g} s and did not; '
                  f'done so far: {", ".join(timings) or "nothing"}')
    except LoomError as error:
        reason = str(error)
    except Exception as error:
        reason = f'{type(error).__name__}: {error}'
    timings['total_s'] = round(time.monotonic() - began, 2)
    await ctx.remember('running', None)
    await ctx.emit('mission.result', {'mission': NAME, 'success': not reason, 'reason': reason, 'report': report,
                                      'timings': timings})


async def _steps(ctx: Context, person: _Person, timings: dict[str, float]) -> str:
    clock = _Stopwatch(timings)
    await _ready(ctx)
    clock.lap('ready_s')
    with ctx.listen('command.understood') as understood, ctx.listen('capability.finished') as finished, \
            ctx.listen('speaker.said') as said:
        await person.asks(f'robot, go to the {PLACE}', 'go_to', understood)
        clock.lap('order_understood_s')
        await _driven(finished)
        clock.lap('driven_s')
        _check_pose(ctx)
        await said.next(REPORT_S, lambda e: PLACE in e.data['text'] and 'I am in' in e.data['text'])
        await person.asks('robot, what do you see', 'look', understood)
        clock.lap('question_understood_s')
        report = await _reported(finished, said)
        clock.lap('reported_s')
    return report


async def _ready(ctx: Context) -> None:
    """Waits until the body knows where it is and what can be said is known."""
    deadline = time.monotonic() + READY_S
    while True:
        try:
            ctx.body.pose()
            if PLACE not in ctx.body.places():
                raise LoomError(f'this world has no place named {PLACE!r}; start with world:=home')
            ctx.body.scan()
            ctx.body.grid()
            return
        except LoomError as error:
            if time.monotonic() > deadline:
                raise DeadlineError(f'the robot was not ready within {READY_S:g} s: {error}') from None
        await asyncio.sleep(0.1)


async def _driven(finished: Listener) -> None:
    event = await finished.next(DRIVE_S, lambda e: e.data['name'] == 'go_to')
    if event.data['error_code']:
        raise LoomError(f'go_to failed with {event.data["error_code"]}: {event.data["error_msg"]}')


def _check_pose(ctx: Context) -> None:
    pose, (x, y, _) = ctx.body.pose(), ctx.body.places()[PLACE]
    away_m = math.hypot(pose.x - x, pose.y - y)
    if away_m > NEAR_M:
        raise LoomError(f'after go_to the robot must be within {NEAR_M:g} m of the {PLACE}, it is {away_m:.2f} m away')


async def _reported(finished: Listener, said: Listener) -> str:
    looked = await finished.next(REPORT_S, lambda e: e.data['name'] == 'look')
    if looked.data['error_code']:
        raise LoomError(f'look failed with {looked.data["error_code"]}: {looked.data["error_msg"]}')
    summary = str(looked.data['result']['summary'])
    spoken = await said.next(REPORT_S, lambda e: e.data['text'] == summary)
    report = str(spoken.data['text'])
    if not all(word in report for word in WANTED):
        raise LoomError(f'the report must mention a {" ".join(WANTED)}, the robot said {report!r}')
    return report


class _Stopwatch:
    """Notes the seconds each step took."""

    def __init__(self, laps: dict[str, float]) -> None:
        self._laps = laps
        self._since = time.monotonic()

    def lap(self, name: str) -> None:
        """Ends a step."""
        now = time.monotonic()
        self._laps[name] = round(now - self._since, 2)
        self._since = now
