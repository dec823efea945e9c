"""The typed value of a parameter from a text."""

from __future__ import annotations

from typing import Any, get_args, get_origin

import yaml
from launch.substitutions import SubstitutionFailure

SCALARS = (bool, int, float, str)


def is_uniform(values: Any) -> bool:
    """Return whether all values are of the same scalar type."""
    return bool(values) and type(values[0]) in SCALARS and all(type(each) is type(values[0]) for each in values)


def parse_value(text: str, name: str = '') -> Any:
    """Return the value that YAML reads in the text; SubstitutionFailure if no parameter can have it."""
    where = f' of parameter {name!r}' if name else ''
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise SubstitutionFailure(
            f'the value{where} is not YAML; if it is meant as a text, wrap it in '
            f'ParameterValue(value, value_type=str); got {text[:80]!r}'
        ) from None
    if value is None:
        return ''
    if isinstance(value, SCALARS) or (isinstance(value, list) and is_uniform(value)):
        return value
    raise SubstitutionFailure(
        f'the value{where} must be a bool, int, float, str or a list of one of them with at least one item; '
        f'got {text[:80]!r}'
    )


def _fits(value: Any, wanted: Any) -> bool:
    return type(value) is wanted or (wanted is float and type(value) is int)


def coerce_value(text: str, wanted: Any, name: str = '') -> Any:
    """Return the text as a value of the type (None: as YAML reads it); SubstitutionFailure if it does not fit."""
    if wanted is None:
        return parse_value(text, name)
    if wanted is str:
        return text
    value = parse_value(text, name)
    if get_origin(wanted) is list:
        item = get_args(wanted)[0]
        if isinstance(value, list) and all(_fits(each, item) for each in value):
            return [item(each) for each in value]
    elif _fits(value, wanted):
        return wanted(value)
    type_name = getattr(wanted, '__name__', str(wanted)) if get_origin(wanted) is None else str(wanted)
    raise SubstitutionFailure(f'parameter {name or "value"} must be of type {type_name}, got {text[:80]!r}')
