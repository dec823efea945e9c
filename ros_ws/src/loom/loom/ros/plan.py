"""Which processes a robot has, with which nodes, and how they are supervised: the table of config/processes.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from loom.core.config import load as checked
from loom.core.errors import ConfigError, nearest
from loom.ros.bringup import load_yaml
from loom.supervise.roster import SUPERVISOR
from loom.supervise.settings import load
from loom.supervise.tree import Tree

PROGRAMS = sorted(path.stem for path in (Path(__file__).parents[1] / 'nodes').glob('[a-z]*.py'))


class Plan(BaseModel):
    """The table; a node is the name of its program, or `name=program`."""

    model_config = ConfigDict(extra='forbid', frozen=True)

    order: list[str]
    few: dict[str, list[str]] = {}
    only_in_simulation: list[str] = []
    supervision: Any = None


def processes(table: Path, form: str, sim: str) -> dict[str, list[str]]:
    """Process name -> its nodes, for `processes:=one|few|many` and `sim:=...`; ConfigError where the table is wrong."""
    nodes = [SUPERVISOR, *start_order(table, sim)]
    if form == 'one':
        return {'robot': nodes}
    if form == 'many':
        return {node: [node] for node in nodes}
    few = _read(table).few
    placed = [node for members in few.values() for node in members]
    for node in nodes:
        if placed.count(node) != 1:
            raise ConfigError(f'{table}: few: each node must be in one process, {node!r} is in {placed.count(node)}')
    chosen = {name: [node for node in members if node in nodes] for name, members in few.items()}
    return {name: members for name, members in chosen.items() if members}


def start_order(table: Path, sim: str) -> list[str]:
    """The managed nodes in the order in which they are shown and, where it is left open, activated."""
    plan = _read(table)
    return [node for node in plan.order if sim == 'mujoco' or node not in plan.only_in_simulation]


def supervision_tree(table: Path, sim: str) -> Tree:
    """How the nodes are supervised; ConfigError names what is wrong in the table."""
    plan = _read(table)
    present = [_name(node) for node in [SUPERVISOR, *start_order(table, sim)]]
    known = {*present, *map(_name, plan.order), *PROGRAMS}
    return Tree(load(plan.supervision, known, f'{table}: supervision'), present)


def _read(table: Path) -> Plan:
    content: Any = load_yaml(table)
    if not isinstance(content, dict):
        raise ConfigError(f'{table}: must map order, few and supervision to their values, got {type(content).__name__}')
    plan = checked(Plan, content, str(table))
    known = {SUPERVISOR, *plan.order}
    for place, nodes in {**{f'few.{name}': nodes for name, nodes in plan.few.items()},
                         'only_in_simulation': plan.only_in_simulation}.items():
        for node in nodes:
            if node not in known:
                raise ConfigError(f'{table}: {place}: {node!r} is not in the order{nearest(node, sorted(known))}')
    return plan


def _name(node: str) -> str:
    return node.partition('=')[0]
