"""The values of parameters from what launch files give."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from launch.launch_context import LaunchContext
from launch.substitution import Substitution
from launch.substitutions import SubstitutionFailure
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

from ..parameter_descriptions import Parameter, ParameterFile, ParameterValue
from ..parameter_value import SCALARS, is_uniform, parse_value


def _perform(context: LaunchContext, text: Any) -> str:
    return perform_substitutions(context, normalize_to_list_of_substitutions(text))


def _evaluate_list(context: LaunchContext, name: str, values: Sequence[Any]) -> Any:
    """Return a list of one type; texts with a substitution among them are one text, read as YAML."""
    if values and any(isinstance(each, Substitution) for each in values):
        return parse_value(_perform(context, values), name)
    if values and all(type(each) in (int, float) for each in values):
        return list(values) if is_uniform(values) else [float(each) for each in values]
    items = [each if isinstance(each, SCALARS) else parse_value(_perform(context, each), name) for each in values]
    if not is_uniform(items):
        raise SubstitutionFailure(f'parameter {name!r} must be a list of at least one item, all of a type; got {items}')
    return items


def _evaluate(context: LaunchContext, name: str, value: Any) -> Any:
    if isinstance(value, ParameterValue):
        return value.evaluate(context, name)
    if isinstance(value, (bool, int, float, str, bytes)):
        return value
    if isinstance(value, Substitution):
        return parse_value(context.perform_substitution(value), name)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Sequence):
        return _evaluate_list(context, name, value)
    raise SubstitutionFailure(f'parameter {name!r} has a value of type {type(value).__name__}, which no parameter has')


def evaluate_parameter_dict(context: LaunchContext, parameters: Mapping[Any, Any], prefix: str = '') -> dict[str, Any]:
    """Return names and values; nested dictionaries become names with dots."""
    values: dict[str, Any] = {}
    for key, value in parameters.items():
        name = prefix + _perform(context, key)
        if isinstance(value, Mapping):
            values.update(evaluate_parameter_dict(context, value, f'{name}.'))
        else:
            values[name] = _evaluate(context, name, value)
    return values


def evaluate_parameters(context: LaunchContext, parameters: Sequence[Any]) -> list[Any]:
    """Return a Path for each file, a dict for each dictionary and the pair of name and value for each Parameter."""
    if isinstance(parameters, (str, Mapping)) or not isinstance(parameters, Sequence):
        raise SubstitutionFailure(f'parameters must be a list of files and dictionaries, got {parameters!r}')
    evaluated: list[Any] = []
    for each in parameters:
        if isinstance(each, Mapping):
            evaluated.append(evaluate_parameter_dict(context, each))
        elif isinstance(each, (Parameter, ParameterFile)):
            evaluated.append(each.evaluate(context))
        else:
            text = os.fspath(each) if isinstance(each, os.PathLike) else _perform(context, each)
            evaluated.append(Path(str(text)))
    return evaluated
