"""A capability as data: what an agent can do for others, with the schemas of its arguments and its result."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, PydanticUserError, TypeAdapter, ValidationError, create_model

from loom.core.errors import CapabilityError

UNKNOWN, BAD_ARGUMENTS, TIMEOUT, CANCELLED, FAILED, BUSY, INTERRUPTED, AWAY = range(101, 109)
MAX_TIMEOUT_S = 600.0


@dataclass(frozen=True)
class Capability:
    """One thing an agent can do; `schema` is the JSON schema of its arguments, `timeout_s` its longest time.

    `result` is the JSON schema of what it gives; where it `streams`, of the list of all values that it gives.
    `idempotent`: carried out twice with one call id, it has one effect.
    """

    name: str
    agent: str
    description: str
    schema: dict[str, Any] = field(default_factory=dict)
    timeout_s: float = 30.0
    result: dict[str, Any] = field(default_factory=dict)
    streams: bool = False
    idempotent: bool = False


def arguments_model(function: Callable[..., Any], skip: int = 1) -> type[BaseModel]:
    """The pydantic model of a function's parameters after the first `skip`; CapabilityError with file:line."""
    hints = type_hints(function)
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
    try:
        model = create_model(function.__name__, __config__=config, **fields)
        model.model_json_schema()
    except PydanticUserError as error:
        raise CapabilityError(f'{where(function)}: the arguments of {function.__name__!r} must be of types that '
                              f'JSON can carry: {_first_line(error)}') from error
    return model


def result_type(function: Callable[..., Any]) -> TypeAdapter[Any]:
    """What checks the result of a function, or each value of one that streams; CapabilityError with file:line."""
    hints = type_hints(function)
    if 'return' not in hints:
        raise CapabilityError(f'{where(function)}: a capability needs a type hint for its result, '
                              f'{function.__name__!r} has none; where it gives nothing: -> None')
    hint = hints['return']
    if inspect.isasyncgenfunction(function):
        hint = get_args(hint)[0] if get_args(hint) else Any
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(hint)
        adapter.json_schema(mode='serialization')
    except PydanticUserError as error:
        raise CapabilityError(f'{where(function)}: the result of {function.__name__!r} must be of a type that JSON '
                              f'can carry: {_first_line(error)}') from error
    return adapter


def type_hints(function: Callable[..., Any]) -> dict[str, Any]:
    """The type hints of a function; CapabilityError with file:line where one names nothing that exists."""
    try:
        return get_type_hints(function, include_extras=True)
    except (NameError, TypeError) as error:
        raise CapabilityError(f'{where(function)}: a type hint of {function.__name__!r} can not be read: '
                              f'{error}') from error


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


def check_result(name: str, adapter: TypeAdapter[Any], value: Any) -> Any:
    """The result as plain values; CapabilityError 105 where it is not what the signature says."""
    try:
        return adapter.dump_python(adapter.validate_python(value), mode='json')
    except ValidationError as error:
        first = error.errors()[0]
        place = ''.join(f'.{part}' for part in first['loc'])
        raise CapabilityError(f'{name}: the result{place} breaks its own type: {first["msg"]}, got '
                              f'{first.get("input")!r}', FAILED) from error
    except ValueError as error:
        raise CapabilityError(f'{name}: the result must be plain JSON: {_first_line(error)}', FAILED) from error


def where(function: Callable[..., Any]) -> str:
    """file:line of a function's definition."""
    code = inspect.unwrap(function).__code__
    return f'{code.co_filename}:{code.co_firstlineno}'


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
