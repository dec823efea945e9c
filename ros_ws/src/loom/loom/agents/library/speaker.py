"""speaker: says things aloud, and knows when they have been said."""

from __future__ import annotations

import asyncio

from loom.agents.agent import Agent
from loom.agents.context import Context
from loom.core.errors import CapabilityError
from loom.core.event import Event

MAX_TEXT = 400
SLOWEST_S_A_CHARACTER = 0.15
PATIENCE_S = 10.0

speaker = Agent('speaker', listens=('speaker.said', 'speaker.failed'))


@speaker.capability(timeout_s=90.0)
async def say(ctx: Context, text: str) -> str:
    """Say a text aloud; ends when it has been said."""
    if not text.strip() or len(text) > MAX_TEXT:
        raise CapabilityError(f'text to say must have 1 to {MAX_TEXT} characters, got {len(text)}')
    with ctx.listen('speaker.said') as said, ctx.listen('speaker.failed') as failed:
        asked = await ctx.emit('speaker.say', {'text': text})

        def answers(event: Event) -> bool:
            return event.correlation_id == asked.id
        patience_s = PATIENCE_S + SLOWEST_S_A_CHARACTER * len(text)
        waits = [asyncio.ensure_future(ear.next(patience_s, answers)) for ear in (said, failed)]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            event = done.pop().result()
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
    if event.type == 'speaker.failed':
        raise CapabilityError(f'could not say it: {event.data.get("reason")}')
    return text
