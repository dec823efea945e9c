"""What the launch files start: the plan of processes, and the checks that come before the first of them."""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from loom.core.errors import ConfigError, nearest
from loom.supervise.roster import SUPERVISOR
from loom.supervise.settings import load
from loom.supervise.tree import Tree

PROGRAMS = sorted(path.stem for path in (Path(__file__).parents[1] / 'nodes').glob('[a-z]*.py'))


def processes(table: Path, form: str, sim: str) -> dict[str, list[str]]:
    """Process name -> its nodes, for `processes:=one|few|many` and `sim:=...`."""
    plan = load_yaml(table)
    nodes = [SUPERVISOR, *start_order(table, sim)]
    if form == 'one':
        return {'robot': nodes}
    if form == 'many':
        return {node: [node] for node in nodes}
    chosen = {name: [n for n in members if n in nodes] for name, members in plan['few'].items()}
    return {name: members for name, members in chosen.items() if members}


def start_order(table: Path, sim: str) -> list[str]:
    """The managed nodes in the order in which they are shown and, where it is left open, activated."""
    plan = load_yaml(table)
    return [node for node in plan['order'] if sim == 'mujoco' or node not in plan['only_in_simulation']]


def supervision_tree(table: Path, sim: str) -> Tree:
    """How the nodes are supervised; ConfigError names what is wrong in the table."""
    plan: Any = load_yaml(table)
    present = [program.partition('=')[0] for program in [SUPERVISOR, *start_order(table, sim)]]
    known = {*present, *(program.partition('=')[0] for program in plan['order']), *PROGRAMS}
    return Tree(load(plan.get('supervision'), known, f'{table}: supervision'), present)


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
