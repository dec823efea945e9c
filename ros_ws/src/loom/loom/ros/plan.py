"""Which processes a robot has, with which nodes, and how they are supervised: the table of config/processes.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loom.ros.bringup import load_yaml
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
