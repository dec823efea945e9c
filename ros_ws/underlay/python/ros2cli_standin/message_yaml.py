"""Messages as YAML, and YAML as messages."""

import array
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
import yaml
from rosidl_parser.definition import AbstractNestedType, NamespacedType

from ros2cli_standin.command import CommandError
from ros2cli_standin.message_types import load

DEFAULT_LENGTH = 128


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    # Other line ends than \n would come back as \n from any style that does not escape them.
    odd = any(end in text for end in ('\x85', '\u2028', '\u2029'))
    return dumper.represent_scalar('tag:yaml.org,2002:str', text, style='"' if odd else None)


_Dumper.add_representer(str, _text)


def is_message(value: Any) -> bool:
    """Return whether the value is a ROS message."""
    return hasattr(value, 'get_fields_and_field_types')


def plain(value: Any, length: int | None = None, no_arr: bool = False, no_str: bool = False) -> Any:
    """Return the message or field as dictionaries, lists and scalars, cut to the length (None: whole)."""
    if is_message(value):
        fields = value.get_fields_and_field_types()
        return {name: _field(getattr(value, name), kind, length, no_arr, no_str) for name, kind in fields.items()}
    return _field(value, '', length, no_arr, no_str)


def _field(value: Any, kind: str, length: int | None, no_arr: bool, no_str: bool) -> Any:
    if isinstance(value, str):
        if no_str:
            return f'<string length: <{len(value)}>>'
        return value if length is None or len(value) <= length else value[:length] + '...'
    if isinstance(value, (list, tuple, array.array, np.ndarray, bytes)) and kind != 'octet':
        return _sequence(value, kind, length, no_arr, no_str)
    if is_message(value):
        return plain(value, length, no_arr, no_str)
    if isinstance(value, bytes):
        return value[0]
    return value.item() if isinstance(value, np.generic) else value


def _sequence(value: Any, kind: str, length: int | None, no_arr: bool, no_str: bool) -> Any:
    if no_arr:
        return f'<sequence type: {kind.replace("sequence<", "").rstrip(">")}, length: {len(value)}>'
    kept: Iterable[Any] = value if length is None else value[:length]
    items = [_field(item, 'octet' if isinstance(item, bytes) else '', length, no_arr, no_str) for item in kept]
    return [*items, '...'] if length is not None and len(value) > length else items


def to_yaml(
    message: Any, length: int | None = DEFAULT_LENGTH, no_arr: bool = False, no_str: bool = False, flow: bool = False
) -> str:
    """Return the message or field as YAML text, its last newline included."""
    content = plain(message, length, no_arr, no_str)
    text: str = yaml.dump(
        content,
        Dumper=_Dumper,
        allow_unicode=True,
        width=sys.maxsize,
        sort_keys=False,
        default_flow_style=flow,
    )
    return text if isinstance(content, (dict, list)) else text.removesuffix('...\n')


def to_csv(message: Any, length: int | None = DEFAULT_LENGTH, no_arr: bool = False, no_str: bool = False) -> str:
    """Return all values of the message or field on one line, with commas between."""

    def flat(value: Any) -> Iterable[str]:
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            for item in value:
                yield from flat(item)
        else:
            yield str(value)

    return ','.join(flat(plain(message, length, no_arr, no_str)))


def field_at(message: Any, path: str) -> Any:
    """Return the field at a path like pose.position.x or ranges[3]; raises CommandError."""
    for part in path.replace('[', '.[').strip('.').split('.'):
        try:
            message = message[int(part[1:-1])] if part.startswith('[') else getattr(message, part)
        except (AttributeError, IndexError, ValueError, TypeError) as error:
            raise CommandError(f"Invalid field '{path}': {error}") from error
    return message


def parse(text: str, what: str = 'values') -> dict[str, Any]:
    """Read YAML text that must be a dictionary (empty: no values); raises CommandError."""
    try:
        values = yaml.safe_load(text) if text.strip() else {}
    except yaml.YAMLError as error:
        raise CommandError(f'the {what} are not YAML: {error}') from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise CommandError(f'the passed {what} must be a dictionary in YAML, got {text!r}')
    return values


def fill(message: Any, values: Any, now: Any = None) -> None:
    """Set fields from a dictionary; 'now' and a header's 'auto' become the given time; raises CommandError."""
    if not isinstance(values, dict):
        raise CommandError(f'fields of {type(message).__name__} must be a dictionary, got {values!r}')
    types = dict(zip(message.get_fields_and_field_types(), message.SLOT_TYPES, strict=True))
    if hasattr(message, '_check_fields'):  # else the setters let numbers out of range pass
        message._check_fields = True
    for name, value in values.items():
        if name not in types:
            raise CommandError(f'{type(message).__name__} has no field {name!r}; there are: {", ".join(types)}')
        try:
            setattr(message, name, _value(getattr(message, name), types[name], value, now))
        except (AssertionError, TypeError, ValueError, OverflowError) as error:
            reason = str(error) or type(error).__name__
            raise CommandError(f'{type(message).__name__}.{name} cannot be {value!r}: {reason}') from error


def _value(field: Any, kind: Any, value: Any, now: Any) -> Any:
    if is_message(field):
        return _submessage(field, value, now)
    if isinstance(field, array.array):
        return array.array(field.typecode, value)
    if isinstance(field, np.ndarray):
        return np.array(value, dtype=field.dtype)
    if isinstance(kind, AbstractNestedType) and isinstance(kind.value_type, NamespacedType):
        cls = load('/'.join(kind.value_type.namespaced_name()), 'msg')
        return [_submessage(cls(), item, now) for item in _list(value)]
    if isinstance(field, list):
        return _list(value)
    if isinstance(field, bytes):
        return bytes([value]) if isinstance(value, int) else bytes(value)
    return _scalar(field, value)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise TypeError('a list is needed')
    return list(value)


def _scalar(field: Any, value: Any) -> Any:
    if isinstance(field, bool):
        if not isinstance(value, bool):
            raise TypeError('true or false is needed')
        return value
    if isinstance(field, (int, float)) and isinstance(value, (str, bool, dict, list)):
        raise TypeError('a number is needed')
    if isinstance(field, int) and isinstance(value, float) and not value.is_integer():
        raise ValueError('a whole number is needed')
    if isinstance(field, str) and isinstance(value, (dict, list)):
        raise TypeError('text is needed')
    return type(field)(value)


def _submessage(message: Any, value: Any, now: Any) -> Any:
    kind = type(message).__name__
    if kind == 'Header' and value == 'auto':
        message.stamp = now
    elif kind == 'Time' and value == 'now':
        return now
    else:
        fill(message, value, now)
    return message
