"""Agents that answer a call, `small_agents:small_1` and so on: what a host costs that has little to do."""

from __future__ import annotations

from loom.agents.agent import Agent
from loom.agents.context import Context
from loom.core.event import Event

CALL, ANSWER = 'bench.call', 'bench.answer'


def __getattr__(name: str) -> Agent:
    """The agent of this name: a host makes no more than its own."""
    if not name.startswith('small_'):
        raise AttributeError(name)
    agent = Agent(name)

    @agent.on(CALL)
    async def answer(ctx: Context, event: Event) -> None:
        await ctx.emit(ANSWER, ctx.agent)

    @agent.capability
    async def add(ctx: Context, one: float, other: float) -> float:
        """Add two numbers."""
        return one + other

    return agent
