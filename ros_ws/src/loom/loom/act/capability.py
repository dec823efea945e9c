"""A capability as data: what an agent can do for others, with the schema of its arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from loom.core.errors import CapabilityError

UNKNOWN, BAD_ARGUMENTS, TIMEOUT, CANCELLED, FAILED, BUSY = 101, 102, 103, 104, 105, 106
MAX_TIMEOUT_S = 600.0


@dataclass(frozen=True)
class Capability:
    """One thing an agent can do; `schema` is the JSON schema of its arguments, `timeout_s` its longest time."""

    name: str
    agent: str
    description: str
    schema: dict[str, Any] = field(default_factory=dict)
    timeout_s: float = 30.0


def arguments_model(function: Callable[..., Any], skip: int = 1) -> type[BaseModel]:
    """The pydantic model of a function's parameters after the first `skip`; CapabilityError with file:line."""
    hints = get_type_hints(function)
    parameters = list(inspect.signature(function).parameters.values())[skip:]
    fields: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.name not in hints:
            raise CapabilityError(
                f'{where(function)}: every parameter of a capability needs a type hint, '
                f'{parameter.name!r} of {function.__name__!r} has none')
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise CapabilityError(f'{where(function)}: a capability takes named parameters only, '
                                  f'got *{parameter.name} in {function.__name__!r}')
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
    config = ConfigDict(extra='forbid', allow_inf_nan=False)
    return create_model(function.__name__, __config__=config, **fields)


def check_arguments(model: type[BaseModel], arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments as the types of the signature; CapabilityError 102 where they don't fit."""
    try:
        checked = model.model_validate(arguments)
    except ValidationError as error:
        first = error.errors()[0]
        place = '.'.join(str(part) for part in first['loc']) or 'arguments'
        raise CapabilityError(f'{model.__name__}: {place}: {first["msg"]}, got {first.get("input")!r}',
                              BAD_ARGUMENTS) from error
    return {name: getattr(checked, name) for name in model.model_fields}


def where(function: Callable[..., Any]) -> str:
    """file:line of a function's definition."""
    code = inspect.unwrap(function).__code__
    return f'{code.co_filename}:{code.co_firstlineno}'
