"""The declaration of an agent: what it hears, what it can do, what it does regularly. Nothing runs here."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from pydantic import BaseModel, TypeAdapter

from loom.act.capability import MAX_TIMEOUT_S, Capability, arguments_model, result_type, where
from loom.agents.directory import AgentCard
from loom.agents.middleware import Middleware
from loom.core.delivery import REALTIME, Delivery
from loom.core.errors import CapabilityError, ConfigError
from loom.core.patterns import check_pattern, check_type

Function = TypeVar('Function', bound=Callable[..., Any])
DEFAULT_TIMEOUT_S = 30.0
MAX_MAILBOX = 10_000
MAX_CONCURRENCY = 64


@dataclass(frozen=True)
class Handler:
    """A function to run for the events of a pattern; `idempotent`: run twice for one event, it has one effect."""

    pattern: str
    function: Callable[..., Any]
    delivery: Delivery
    idempotent: bool = False


@dataclass(frozen=True)
class Skill:
    """A capability with the function that does it, the model of its arguments and the type of its result."""

    capability: Capability
    function: Callable[..., Any]
    model: type[BaseModel]
    result: TypeAdapter[Any]


@dataclass(frozen=True)
class Timer:
    """A function to run every `period_s` seconds."""

    period_s: float
    function: Callable[..., Any]


class Agent:
    """A named set of handlers, capabilities and timers; a host runs it.

    `listens` are patterns to hear without a handler (for `ctx.listen`); `mailbox` bounds the events that wait, and
    `concurrency` those that are handled at once. `config` are its settings (`ctx.config`) as they are where nobody
    changes them. `middleware` is around every handler and capability, the first outermost.
    """

    def __init__(self, name: str, *, listens: tuple[str, ...] = (), mailbox: int = 100, concurrency: int = 1,
                 config: BaseModel | None = None, middleware: tuple[Middleware, ...] = ()) -> None:
        if not 1 <= mailbox <= MAX_MAILBOX:
            raise ConfigError(f'mailbox must be from 1 to {MAX_MAILBOX} events, got {mailbox}')
        if not 1 <= concurrency <= MAX_CONCURRENCY:
            raise ConfigError(f'concurrency must be from 1 to {MAX_CONCURRENCY} events at once, got {concurrency}')
        self.name = _check_name(name)
        self.mailbox = mailbox
        self.concurrency = concurrency
        self.config = config
        self.middleware = middleware
        self.listens = tuple(check_pattern(pattern) for pattern in listens)
        self.handlers: list[Handler] = []
        self.skills: dict[str, Skill] = {}
        self.timers: list[Timer] = []

    def on(self, *patterns: str, delivery: Delivery = REALTIME,
           idempotent: bool = False) -> Callable[[Function], Function]:
        """Runs the function, `async (ctx, event)`, for each event a pattern selects; what it returns is the reply.

        An event on which the host died is not handled again, unless the function is `idempotent`: handling it twice
        has one effect.
        """
        if not patterns:
            raise ConfigError("on() needs at least one pattern, like @agent.on('camera.*.person')")

        def declare(function: Function) -> Function:
            _check_async(function, 2)
            self.handlers.extend(Handler(check_pattern(p), function, delivery, idempotent) for p in patterns)
            return function
        return declare

    def every(self, seconds: float) -> Callable[[Function], Function]:
        """Runs the function, `async (ctx)`, with this period."""
        if not 0.001 <= seconds <= 86_400:
            raise ConfigError(f'a period must be from 0.001 to 86400 s, got {seconds}')

        def declare(function: Function) -> Function:
            _check_async(function, 1)
            self.timers.append(Timer(seconds, function))
            return function
        return declare

    @overload
    def capability(self, function: Function) -> Function:
        """Offers the function with the default timeout."""

    @overload
    def capability(self, *, timeout_s: float = DEFAULT_TIMEOUT_S,
                   idempotent: bool = False) -> Callable[[Function], Function]:
        """Offers the function with a timeout of its own, in seconds, or as idempotent."""

    def capability(self, function: Any = None, *, timeout_s: float = DEFAULT_TIMEOUT_S,
                   idempotent: bool = False) -> Any:
        """Offers the function, `async (ctx, ...)` with docstring and type hints, to everybody on the robot.

        One that yields gives its values one by one (`ctx.stream`); its result is the list of them. A call during which
        the host died fails with code 107, unless the function is `idempotent`: carrying it out twice with one
        `ctx.call_id` has one effect. Then it is carried out again.
        """
        if not 0 < timeout_s <= MAX_TIMEOUT_S:
            raise ConfigError(f'timeout_s must be above 0 and at most {MAX_TIMEOUT_S:g}, got {timeout_s}')

        def declare(function: Function) -> Function:
            skill = self._skill(function, timeout_s, idempotent)
            self.skills[skill.capability.name] = skill
            return function
        return declare if function is None else declare(function)

    def card(self, state: str = 'active') -> AgentCard:
        """The agent as data for the directory."""
        listens = dict.fromkeys([h.pattern for h in self.handlers] + list(self.listens))
        return AgentCard(self.name, state, tuple(listens), tuple(s.capability for s in self.skills.values()))

    def _skill(self, function: Callable[..., Any], timeout_s: float, idempotent: bool) -> Skill:
        name = function.__name__
        if name in self.skills:
            raise CapabilityError(f'{where(function)}: {self.name!r} already has a capability named {name!r}')
        if not (function.__doc__ or '').strip():
            raise CapabilityError(f'{where(function)}: a capability needs a docstring that says what it does, '
                                  f'{name!r} has none')
        streams = inspect.isasyncgenfunction(function)
        if not streams:
            _check_async(function, 1)
        model, result = arguments_model(function), result_type(function)
        description = inspect.cleandoc(function.__doc__ or '').splitlines()[0]
        schema = result.json_schema(mode='serialization')
        capability = Capability(name, self.name, description, model.model_json_schema(), timeout_s,
                                {'type': 'array', 'items': schema} if streams else schema, streams, idempotent)
        return Skill(capability, function, model, result)


def _check_name(name: str) -> str:
    if '.' in check_type(name):
        raise ConfigError(f'an agent name must be one lower_snake word, got {name!r}')
    return name


def _check_async(function: Callable[..., Any], least: int) -> None:
    if not inspect.iscoroutinefunction(function):
        raise CapabilityError(f'{where(function)}: {function.__name__!r} must be `async def`')
    if len(inspect.signature(function).parameters) < least:
        wanted = '(ctx, event)' if least == 2 else '(ctx, ...)'
        raise CapabilityError(f'{where(function)}: {function.__name__!r} must take {wanted}')
