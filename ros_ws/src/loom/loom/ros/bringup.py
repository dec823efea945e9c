"""What the launch files check before anything starts, with little to load: each launch waits for it."""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from loom.core.errors import ConfigError, nearest


def check_arguments(declared: Iterable[str], argv: Iterable[str] = sys.argv) -> None:
    """ConfigError for a name:=value of the command line that no launch argument has: ros2 launch ignores those."""
    names = list(declared)
    for given in (word.split(':=')[0] for word in argv if ':=' in word and not word.startswith('-')):
        if given not in names:
            raise ConfigError(f'no launch argument named {given!r}{nearest(given, names)}')


def parameter_file(path: str) -> str:
    """The parameter file; ConfigError names file and line where it is not the YAML that ROS 2 reads."""
    nodes = load_yaml(Path(path))
    if not isinstance(nodes, Mapping):
        raise ConfigError(f'{path}: a parameter file maps node names to ros__parameters, got {type(nodes).__name__}')
    for node, content in nodes.items():
        if not isinstance(content, Mapping) or not isinstance(content.get('ros__parameters'), Mapping):
            raise ConfigError(f'{path}: {node} must hold ros__parameters, got {reprlib.repr(content)[:80]}')
    return path


def load_yaml(path: Path) -> dict[str, dict[str, list[str]]]:
    """The content of a YAML file; ConfigError names file and line where it is broken."""
    try:
        content: dict[str, dict[str, list[str]]] = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise ConfigError(f'{path} does not exist') from None
    except OSError as error:
        raise ConfigError(f'{path}: {error.strerror}') from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, 'problem_mark', None)
        where = f'{path}:{mark.line + 1}' if mark else str(path)
        raise ConfigError(f'{where}: {getattr(error, "problem", None) or error}') from None
    return content
