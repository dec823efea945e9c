"""commander: understands what people say or type, has it done, and says how it went."""

from __future__ import annotations

from typing import Any

from loom.agents.agent import Agent
from loom.agents.context import Context
from loom.core.errors import CapabilityError, LoomError
from loom.core.event import Event

MAX_TEXT = 500
START = 'start'

commander = Agent('commander', mailbox=20)


@commander.on('microphone.speech', 'text.typed')
async def hear(ctx: Context, event: Event) -> None:
    """Has a sentence done beside the next ones, so that `stop` is heard while the robot drives."""
    data = event.data if isinstance(event.data, dict) else {}
    text = str(data.get('text', '')).strip()
    if 0 < len(text) <= MAX_TEXT:
        ctx.spawn(obey(ctx, text))


async def obey(ctx: Context, text: str) -> None:
    """Understands one sentence and has it done."""
    try:
        intent = (await ctx.think(text, task='parse', deadline_s=3.0)).data
    except LoomError as error:
        ctx.log.info('not understood: %s', error)
        await ctx.emit('command.refused', {'text': text, 'reason': str(error)})
        await aloud(ctx, f'I do not understand: {text}')
        return
    name, arguments = str(intent['capability']), dict(intent['arguments'])
    await ctx.emit('command.understood', {'text': text, 'capability': name, 'arguments': arguments})
    announcement = announced(name, arguments)
    if announcement:
        ctx.spawn(aloud(ctx, announcement))
    try:
        answer = spoken(name, await ctx.act(name, **arguments))
    except CapabilityError as error:
        answer = refusal(name, error)
    except LoomError as error:
        answer = f'That failed: {error}'
    if answer:
        await aloud(ctx, answer)


async def aloud(ctx: Context, text: str) -> None:
    """Says it, where the robot has a voice."""
    try:
        await ctx.act('say', text=text[:400])
    except LoomError as error:
        ctx.log.warning('could not say %r: %s', text, error)


def announced(name: str, arguments: dict[str, Any]) -> str:
    """What to say before something that takes long; empty: nothing."""
    if name != 'go_to':
        return ''
    place = str(arguments.get('place', ''))
    return 'I am coming back' if place == START else f'I am going to the {place.replace("_", " ")}'


def spoken(name: str, result: Any) -> str:
    """What to say when a capability is done; empty: nothing."""
    if name == 'say':
        return ''
    if isinstance(result, dict):
        return str(result.get('summary', ''))
    return str(result or '')


def refusal(name: str, error: CapabilityError) -> str:
    """What to say when a capability was not done; empty where a person stopped it."""
    if error.code == 104:
        return ''
    if error.code == 101:
        return f'I can not {name.replace("_", " ")}'
    return f'I could not do that: {error}'
