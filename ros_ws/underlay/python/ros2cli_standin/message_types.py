"""From a type's name to its class."""

import importlib
from typing import Any

from ros2cli_standin.command import CommandError

KINDS = {'msg': 'message', 'srv': 'service', 'action': 'action'}


def load(name: str, kind: str) -> Any:
    """Return the class of 'pkg/msg/Name' or 'pkg/Name' (kind: msg, srv or action); raises CommandError."""
    parts = name.strip('/').split('/')
    if len(parts) == 2:
        parts.insert(1, kind)
    if len(parts) != 3 or parts[1] != kind or not all(part.isidentifier() for part in parts):
        raise CommandError(f'the passed {KINDS[kind]} type is invalid: {name!r} (expected package/{kind}/Name)')
    try:
        return getattr(importlib.import_module(f'{parts[0]}.{kind}'), parts[2])
    except (ImportError, AttributeError) as error:
        raise CommandError(f'the passed {KINDS[kind]} type is invalid: no {"/".join(parts)} is installed') from error


def type_name(cls: type) -> str:
    """Return the printed name of a class: package.msg.Name."""
    return f'{".".join(cls.__module__.split(".")[:2])}.{cls.__name__}'


def representation(message: Any) -> str:
    """Return the message as the real command prints it: package.msg.Name(field=value, ...)."""
    if isinstance(message, list):
        return f'[{", ".join(map(representation, message))}]'
    if not hasattr(message, 'get_fields_and_field_types'):
        return repr(message)
    fields = message.get_fields_and_field_types()
    values = ', '.join(f'{field}={representation(getattr(message, field))}' for field in fields)
    return f'{type_name(type(message))}({values})'
