"""Agents that leave traces outside of the robot: what they handled, did and remembered can be checked afterwards."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from loom import Agent, Context, Event
from loom.core.delivery import BATCHED

FOLDER = Path(os.environ.get('RECOVER_FOLDER', '.'))
COLD, WARM = ('cold_a', 'cold_b'), ('warm_a', 'warm_b')
NAMES = (*COLD, *WARM)
WORK_S, STATE_EVERY_S = 0.02, 0.05


def append(name: str, line: str) -> None:
    """One line, written at once or not at all."""
    with (FOLDER / name).open('a') as file:
        file.write(line + '\n')


def witness(name: str) -> Agent:
    """Echoes every tick, does each deed once, and counts in its memory."""
    agent = Agent(name)
    incarnation = os.environ.get('LOOM_INCARNATION', '')

    @agent.on('load.tick', delivery=BATCHED)
    async def echo(ctx: Context, event: Event) -> None:
        await ctx.emit(f'load.echo.{name}', {'n': event.data['n'], 'by': incarnation}, delivery=BATCHED)

    async def deed(ctx: Context, key: str) -> str:
        """Leaves one line for this key, however often it is called with one call id."""
        done = FOLDER / f'deeds_{name}'
        await asyncio.sleep(WORK_S)
        if not done.exists() or key not in done.read_text().split():
            append(done.name, key)
        return key
    deed.__name__ = f'deed_{name}'
    agent.capability(timeout_s=10.0, idempotent=True)(deed)

    @agent.every(STATE_EVERY_S)
    async def count(ctx: Context) -> None:
        number = ctx.recall('number', 0) + 1
        await ctx.remember('number', number)
        append(f'numbers_{name}', str(number))

    return agent


cold_a, cold_b, warm_a, warm_b = map(witness, NAMES)
