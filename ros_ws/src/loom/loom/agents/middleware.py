"""Middleware: wrappers around every handler and capability of an agent, like the layers of an onion.

One is `async (ctx, event, next)`: it does something before, awaits `next()`, which is the handler or the next layer
inside, does something after, and returns what that gave. For a capability, `event` is its `capability.call`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from loom.act.capability import BUSY, FAILED
from loom.core.clock import NANOSECONDS
from loom.core.errors import ConfigError, RefusedError
from loom.core.event import Event

if TYPE_CHECKING:
    from loom.agents.context import Context

Next = Callable[[], Awaitable[Any]]
Middleware = Callable[['Context', Event, Next], Awaitable[Any]]
CALL = 'capability.call'


def wrapped(layers: tuple[Middleware, ...], context: Context, event: Event | None, work: Next) -> Awaitable[Any]:
    """The work inside its layers, the first outermost; what no event caused has none."""
    if event is None or not layers:
        return work()
    outermost, *inner = layers
    return outermost(context, event, lambda: wrapped(tuple(inner), context, event, work))


async def logged(ctx: Context, event: Event, next: Next) -> Any:
    """Logs each event and call with its time, and with its error where it fails."""
    began_ns = ctx.clock.now_ns()
    try:
        answer = await next()
    except Exception as error:
        ctx.log.warning('%s from %s failed after %.1f ms: %s', asked(event), asker(event), _ms(ctx, began_ns), error)
        raise
    ctx.log.info('%s from %s took %.1f ms', asked(event), asker(event), _ms(ctx, began_ns))
    return answer


def permitted(*senders: str) -> Middleware:
    """Lets only these have something done; RefusedError for others."""
    async def layer(ctx: Context, event: Event, next: Next) -> Any:
        if asker(event) not in senders:
            raise RefusedError(f'{asker(event)!r} may not have {ctx.agent!r} do {asked(event)!r}; allowed: '
                               f'{", ".join(senders) or "nobody"}', FAILED)
        return await next()
    return layer


def limited(rate_hz: float, burst: int = 1) -> Middleware:
    """Lets so many through in a second, after `burst` at once; RefusedError for what exceeds that."""
    if not 0 < rate_hz <= 1e6 or burst < 1:
        raise ConfigError(f'a limit must have a rate_hz above 0 and a burst of at least 1, got {rate_hz} and {burst}')
    left, since_ns = float(burst), 0

    async def layer(ctx: Context, event: Event, next: Next) -> Any:
        nonlocal left, since_ns
        now_ns = ctx.clock.now_ns()
        left, since_ns = min(left + max(now_ns - since_ns, 0) * rate_hz / NANOSECONDS, float(burst)), now_ns
        if left < 1.0:
            raise RefusedError(f'{ctx.agent!r} takes at most {rate_hz:g} a second; ask less often', BUSY)
        left -= 1.0
        return await next()
    return layer


def asker(event: Event) -> str:
    """Who is behind an event; for a call not the broker, but its caller."""
    caller = str(event.data.get('caller') or '') if event.type == CALL else ''
    return caller or event.sender or event.source


def asked(event: Event) -> str:
    """What is to be done: the event's type, or the capability's name."""
    return str(event.data.get('name')) if event.type == CALL else event.type


def _ms(ctx: Context, began_ns: int) -> float:
    return (ctx.clock.now_ns() - began_ns) / 1e6
