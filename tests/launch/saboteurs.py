"""Agents that do harm when they are told to, and some that only work beside them."""

from __future__ import annotations

import asyncio
import ctypes
import os
import subprocess
import time
from pathlib import Path

from loom import Agent, Context, Event

FOLDER = Path(os.environ['LOOM_TEST_FOLDER'])
CHILDREN = 200
LONG_S = 60.0

# While this file is there, the host that loads this module takes its time to configure.
(FOLDER / 'loading').touch()
while (FOLDER / 'slow').exists():
    time.sleep(0.02)
(FOLDER / 'loading').unlink(missing_ok=True)

saboteur = Agent('saboteur')
thinker = Agent('thinker')
bystander = Agent('bystander')


def once(deed: str) -> bool:
    """Whether a deed is done for the first time; who comes back to life does no harm again."""
    try:
        (FOLDER / deed).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


@saboteur.on('test.harm')
async def harm(ctx: Context, event: Event) -> None:
    """Does what the event says, once for each name."""
    if once(event.data['name']):
        {'spin': spin, 'hold': hold, 'breed': breed}[event.data['deed']]()


def spin() -> None:
    """Keeps the agents' thread busy for ever."""
    while True:
        pass


def hold() -> None:
    """Keeps the whole interpreter: a call into C that does not let go of it."""
    ctypes.PyDLL(None).sleep(int(LONG_S))


def breed() -> None:
    """Begins many processes, some of which leave its group."""
    for number in range(CHILDREN):
        subprocess.Popen(['sleep', '297'], start_new_session=number % 2 == 0)


@thinker.capability
async def ponder(ctx: Context, seconds: float) -> str:
    """Think for so long."""
    await ctx.emit('agent.begun', {'what': 'ponder'})
    await asyncio.sleep(seconds)
    return 'done'


@thinker.capability(idempotent=True)
async def count(ctx: Context, seconds: float) -> str:
    """Count for so long; once more does no harm."""
    await ctx.emit('agent.begun', {'what': 'count'})
    await asyncio.sleep(seconds)
    return 'done'


@bystander.capability
async def greet(ctx: Context, name: str) -> str:
    """Greet somebody."""
    return f'hello {name}'
