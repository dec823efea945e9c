"""A node's parameters from its one settings class: types, defaults, ranges, descriptions."""

from __future__ import annotations

import os
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
import yaml
from pydantic.fields import FieldInfo
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from loom.core.config import NodeConfig, load
from loom.core.errors import ConfigError, nearest

OURS = frozenset({'use_sim_time', 'start_type_description_service'})
SCALARS: dict[Any, Parameter.Type] = {
    bool: Parameter.Type.BOOL, int: Parameter.Type.INTEGER, float: Parameter.Type.DOUBLE, str: Parameter.Type.STRING}
ARRAYS: dict[Any, Parameter.Type] = {
    bool: Parameter.Type.BOOL_ARRAY, int: Parameter.Type.INTEGER_ARRAY,
    float: Parameter.Type.DOUBLE_ARRAY, str: Parameter.Type.STRING_ARRAY}


class Parameters:
    """Declares a settings class on a node and gives back its validated value."""

    def __init__(self, node: Node, config_class: type[NodeConfig]) -> None:
        self._node = node
        self._class = config_class
        overrides = node._parameter_overrides
        unknown = [name for name in overrides if name not in config_class.model_fields and name not in OURS
                   and not name.startswith('qos_overrides.')]
        if unknown:
            raise ConfigError(f'{node.get_name()}: no parameter named {unknown[0]!r}'
                              f'{nearest(unknown[0], list(config_class.model_fields))}')
        given = {name: self._given(name, field) for name, field in config_class.model_fields.items()}
        config = load(config_class, {k: v for k, v in given.items() if v is not None}, node.get_name())
        for name, field in config_class.model_fields.items():
            kind = parameter_type(field.annotation)
            value = getattr(config, name)
            overrides.pop(name, None)
            node.declare_parameter(name, list(value) if kind in ARRAYS.values() else value, descriptor(field))
        node.add_on_set_parameters_callback(self._check)

    def read(self) -> NodeConfig:
        """The settings as the parameters stand now; ConfigError where they break a rule."""
        values = {name: self._node.get_parameter(name).value for name in self._class.model_fields}
        return load(self._class, values, self._node.get_name())

    def _given(self, name: str, field: FieldInfo) -> Any:
        variable = f'LOOM_{self._node.get_name()}_{name}'.upper()
        kind = parameter_type(field.annotation)
        if variable in os.environ:
            return _parse(variable, os.environ[variable], kind)
        override = self._node._parameter_overrides.get(name)
        value = override.value if override else None
        # ROS gives an array where YAML says [1, 2]; the class wants the tuple of its own number type.
        return tuple(value) if kind in ARRAYS.values() and value is not None else value

    def _check(self, parameters: list[Parameter[Any]]) -> SetParametersResult:
        ours = {p.name: p.value for p in parameters if p.name in self._class.model_fields}
        current = {name: self._node.get_parameter(name).value for name in self._class.model_fields}
        try:
            load(self._class, {**current, **ours}, self._node.get_name())
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)


def _parse(variable: str, text: str, kind: Parameter.Type) -> Any:
    if kind is Parameter.Type.STRING:
        return text
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError(f'{variable} must be a value in YAML, got {text!r}') from None


def parameter_type(annotation: Any) -> Parameter.Type:
    """The ROS parameter type of a field's annotation; ConfigError for what ROS can't carry."""
    origin = get_origin(annotation)
    if origin is Literal:
        return SCALARS[type(get_args(annotation)[0])]
    if origin is tuple:
        return ARRAYS[get_args(annotation)[0]]
    if origin is not Union and annotation in SCALARS:
        return SCALARS[annotation]
    raise ConfigError(f'a setting must be bool, int, float, str, a Literal or a tuple of those, got {annotation!r}')


def descriptor(field: FieldInfo) -> ParameterDescriptor:
    """Description and range of a field, for rqt_reconfigure and `ros2 param describe`."""
    result = ParameterDescriptor(description=field.description or '')
    # rclpy takes an empty list for bytes: only dynamic typing lets an array be empty; the class checks its type.
    result.dynamic_typing = parameter_type(field.annotation) in ARRAYS.values()
    if choices(field):
        result.additional_constraints = 'one of: ' + ', '.join(choices(field))
    low, high = bounds(field)
    if low is not None and high is not None and field.annotation is float:
        result.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high))]
    elif low is not None and high is not None and field.annotation is int:
        result.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
    return result


def bounds(field: FieldInfo) -> tuple[Any, Any]:
    """Lowest and highest value of a field; None where there is no limit."""
    low = high = None
    for rule in field.metadata:
        if isinstance(rule, (annotated_types.Ge, annotated_types.Gt)):
            low = rule.ge if isinstance(rule, annotated_types.Ge) else rule.gt
        if isinstance(rule, (annotated_types.Le, annotated_types.Lt)):
            high = rule.le if isinstance(rule, annotated_types.Le) else rule.lt
    return low, high


def choices(field: FieldInfo) -> list[str]:
    """The values of a field that is one of a few; empty where it is not."""
    return [str(value) for value in get_args(field.annotation)] if get_origin(field.annotation) is Literal else []
