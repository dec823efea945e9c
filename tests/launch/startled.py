"""startled: an agent that looks around until it sees something, and turns away from that."""

from __future__ import annotations

from loom import Agent, Context, Event
from loom.act.body import Motion

startled = Agent('startled')
TURN_RAD_S = 1.2


@startled.every(0.2)
async def look_around(ctx: Context) -> None:
    """Turns, by the newest depth picture."""
    newest = ctx.body.relief().stamp_ns
    ctx.body.propose(Motion(angular=TURN_RAD_S, intent='look around', agent=ctx.agent, origin_ns=newest))


@startled.on('camera.front.object')
async def see(ctx: Context, event: Event) -> None:
    """Wants to be elsewhere."""
    ctx.log.warning('startled by %s', event.data['label'])
    await ctx.act('shy_away', label=event.data['label'])


@startled.capability
async def shy_away(ctx: Context, label: str) -> str:
    """Turn away from a thing."""
    ctx.body.propose(Motion(angular=-TURN_RAD_S, intent=f'away from {label}', agent=ctx.agent))
    return label
