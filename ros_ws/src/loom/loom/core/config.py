"""NodeConfig: every setting of a node in one class, with default, bounds and description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from loom.core.errors import ConfigError, nearest


class NodeConfig(BaseModel):
    """Base of a node's settings; its fields become the node's ROS parameters."""

    model_config = ConfigDict(extra='forbid', frozen=True, allow_inf_nan=False)


Config = TypeVar('Config', bound=BaseModel)


def load(config_class: type[Config], values: Mapping[str, Any], owner: str) -> Config:
    """The settings from `values`; ConfigError names each bad one, its value and the rule."""
    try:
        return config_class.model_validate(dict(values))
    except ValidationError as error:
        faults = [_fault(config_class, fault) for fault in error.errors()]
        raise ConfigError(f'{owner}: ' + '; '.join(faults)) from None


def _fault(config_class: type[BaseModel], fault: Any) -> str:
    name = '.'.join(str(part) for part in fault['loc'])
    if fault['type'] == 'extra_forbidden':
        return f'no parameter named {name!r}{nearest(name, list(config_class.model_fields))}'
    rule = fault['msg'][0].lower() + fault['msg'][1:]
    return f'{name}: {rule}, got {fault["input"]!r}'
