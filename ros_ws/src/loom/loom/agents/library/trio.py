"""trio: a planner, a researcher and a writer make an article from what Loom's own modules say of themselves."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import loom
from loom.agents.agent import Agent
from loom.agents.context import Context
from loom.agents.example import Example
from loom.core.errors import DeadlineError, LoomError, ModelError
from loom.core.event import Event

MAX_TOPIC = 80
MAX_QUESTIONS = 4
MAX_FINDINGS = 3
THINK_S = 10.0
RESEARCH_S = 20.0

planner = Agent('planner')
researcher = Agent('researcher', concurrency=MAX_QUESTIONS)
writer = Agent('writer')


class Article(BaseModel):
    """What the trio wrote."""

    topic: str
    text: str
    sources: list[str]


@planner.capability(timeout_s=60.0)
async def write_about(ctx: Context, topic: str) -> Article:
    """Find out about a topic and write a short article."""
    questions = await _questions(ctx, topic.strip()[:MAX_TOPIC])
    asked = (ctx.request('researcher', 'trio.research', question, RESEARCH_S) for question in questions)
    findings = {f['source']: f for found in await asyncio.gather(*asked) for f in found}
    text = await ctx.request('writer', 'trio.write', {'topic': topic, 'findings': list(findings.values())}, RESEARCH_S)
    return Article(topic=topic, text=text, sources=sorted(findings))


async def _questions(ctx: Context, topic: str) -> list[str]:
    """What to find out: what a model says, and by rule where there is none."""
    try:
        answer = await ctx.think(f'Write up to {MAX_QUESTIONS} short questions about "{topic}", one a line.',
                                 deadline_s=THINK_S)
        lines = [line.strip(' -*0123456789.') for line in answer.text.splitlines()]
        return [line for line in lines if line][:MAX_QUESTIONS] or [topic]
    except (ModelError, DeadlineError):
        return [f'What is a {topic}?', f'How does the {topic} fail, and what happens to its errors?']


@researcher.on('trio.research')
async def research(ctx: Context, event: Event) -> list[dict[str, Any]]:
    """The sentences that fit a question best, each with the module that says it."""
    known = ctx.recall('known')
    if known is None:
        known = await asyncio.to_thread(read_modules)
        await ctx.remember('known', known)
    wanted = _words(str(event.data))
    scores = {source: len(wanted & _words(f'{source} {text}')) for source, text in known.items()}
    best = sorted(known, key=lambda source: (-scores[source], source))[:MAX_FINDINGS]
    return [{'source': source, 'text': known[source]} for source in best if scores[source]]


@writer.on('trio.write')
async def write(ctx: Context, event: Event) -> str:
    """An article from findings; by rule where no model answers."""
    topic, findings = event.data['topic'], event.data['findings']
    if not findings:
        return f'Nothing is known here about {topic}.'
    notes = '\n'.join(f'- {finding["text"]} ({finding["source"]})' for finding in findings)
    try:
        prompt = f'Write three plain sentences about "{topic}" from these notes, and nothing that is not in them:\n'
        return (await ctx.think(prompt + notes, deadline_s=THINK_S)).text
    except LoomError:
        return f'About {topic}:\n{notes}'


def read_modules() -> dict[str, str]:
    """What each module of Loom says of itself in its first sentence."""
    home = Path(loom.__file__).parent
    found = {}
    for path in sorted(home.rglob('*.py')):
        before, _, text = path.read_text().partition('"""')
        if not before:
            found['.'.join(path.relative_to(home).with_suffix('').parts)] = text.partition('"""')[0].splitlines()[0]
    return found


def _words(text: str) -> set[str]:
    """Words that carry meaning, without the ending of a plural."""
    return {word.rstrip('s') for word in re.findall(r'[a-z]{4,}', text.lower())} - {'what', 'doe', 'happen', 'about'}


trio = Example((planner, researcher, writer), 'write_about', {'topic': 'mailbox'}, lambda article: article['text'])
