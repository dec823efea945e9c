"""lookout: looks through the camera for coloured objects and text, and says what is there."""

from __future__ import annotations

import asyncio
import math
from typing import Any

from loom.agents.agent import Agent
from loom.agents.context import Context
from loom.core.clock import NANOSECONDS
from loom.core.errors import LoomError
from loom.core.event import Event
from loom.sense.detect import Seen, detect
from loom.sense.text import Text, TextReader

SURE = 0.5
RECENT_S = 1.5
MAX_RECENT = 32
LOOKS_AROUND = 4
READ_S = 15.0
MEMORY = 'memory_server'

lookout = Agent('lookout', mailbox=50)


@lookout.on('camera.*.object')
async def notice(ctx: Context, event: Event) -> None:
    """Keeps what was seen lately."""
    label = str(event.data['label'])
    recent = {**ctx.recall('recent', {}), label: (event.stamp_ns, event.data)}
    await ctx.remember('recent', dict(sorted(recent.items(), key=lambda item: -item[1][0])[:MAX_RECENT]))


@lookout.every(20.0)
async def rest(ctx: Context) -> None:
    """Frees the memory of the text reader when nobody looks."""
    reader = ctx.recall('reader')
    if reader is not None:
        await asyncio.to_thread(reader.free_if_idle)


@lookout.capability(timeout_s=30.0)
async def look(ctx: Context) -> dict[str, Any]:
    """Say which objects and texts are in view."""
    sight = ctx.body.sight()
    found = await asyncio.to_thread(detect, sight.picture.pixels, sight.lens, sight.depth)
    texts = await _read(ctx, sight.picture.pixels)
    return _report(_merged([seen for seen in found if seen.confidence >= SURE], _recent(ctx)), texts)


@lookout.capability(timeout_s=120.0)
async def look_around(ctx: Context) -> dict[str, Any]:
    """Turn round once and say which objects and texts are there."""
    objects: dict[str, dict[str, Any]] = {}
    texts: dict[str, None] = {}
    for _ in range(LOOKS_AROUND):
        view = await look(ctx)
        objects.update({seen['label']: seen for seen in view['objects']})
        texts.update(dict.fromkeys(view['texts']))
        await ctx.act('turn', angle_rad=2 * math.pi / LOOKS_AROUND)
    return _report(list(objects.values()), list(texts))


@lookout.capability
async def seen(ctx: Context, place: str = '', minutes: float = 10.0) -> dict[str, Any]:
    """Say which objects were seen in the last minutes, near a place if one is named."""
    query = {'kind': 'object', 'last_s': 60.0 * minutes, **({'near': place} if place else {})}
    episodes = await ctx.request(MEMORY, 'memory.retrieve', {'episodes': query})
    report = _report([episode['data'] for episode in episodes], [])
    return {**report, 'summary': report['summary'].replace('I see', 'I saw', 1)}


async def _read(ctx: Context, pixels: Any) -> list[str]:
    reader = ctx.recall('reader')
    if reader is None:
        reader = TextReader(ctx.clock)
        await ctx.remember('reader', reader)
    try:
        lines: list[Text] = await asyncio.wait_for(asyncio.to_thread(reader.read, pixels), READ_S)
    except (LoomError, asyncio.TimeoutError) as error:
        ctx.log.warning('no text was read: %s', error or f'it took over {READ_S:g} s')
        return []
    return [line.text for line in lines]


def _recent(ctx: Context) -> list[dict[str, Any]]:
    oldest_ns = ctx.clock.now_ns() - round(RECENT_S * NANOSECONDS)
    return [data for stamp_ns, data in ctx.recall('recent', {}).values() if stamp_ns >= oldest_ns]


def _merged(found: list[Seen], recent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    objects = [seen.data() for seen in found]
    known = {str(seen['colour']) for seen in objects}
    return objects + [data for data in recent if str(data.get('colour')) not in known]


def _report(objects: list[dict[str, Any]], texts: list[str]) -> dict[str, Any]:
    return {'objects': objects, 'texts': texts, 'summary': summary([str(o['label']) for o in objects], texts)}


def summary(labels: list[str], texts: list[str]) -> str:
    """One sentence: 'I see a red ball and a sign that says KITCHEN'."""
    things = [f'{"an" if label[0] in "aeiou" else "a"} {label}' for label in dict.fromkeys(labels)]
    things += [f'a sign that says {text}' for text in dict.fromkeys(texts)]
    if not things:
        return 'I see nothing that I know'
    return 'I see ' + (', '.join(things[:-1]) + ' and ' if things[1:] else '') + things[-1]
