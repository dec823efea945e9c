"""loom list: what is running."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from loom.core.errors import DeadlineError, LoomError

if TYPE_CHECKING:
    from loom.ros.client import RobotClient

COLOURS = {'active': 'green', 'inactive': 'yellow', 'unconfigured': 'yellow'}
STATE_S = 2.0
DISCOVERY_S = 4.0


def list_robot(namespace: Annotated[str, typer.Option('--namespace', '-n', help='Namespace of the robot.')] = ''
               ) -> None:
    """Nodes, agents and capabilities with their states."""
    from loom.ros.client import robot_client
    console = Console()
    with robot_client(namespace) as robot:
        try:
            health = robot.health()
        except DeadlineError:
            raise LoomError('no robot is up here: no supervisor reports on loom/health; type: loom up') from None
        names = _nodes(robot, health)
        with ThreadPoolExecutor(8) as pool:
            states = list(pool.map(lambda name: _state(robot, name), names))
        nodes = Table('node', 'state', title=f'robot is {health.mode}', title_justify='left')
        for name, state in zip(names, states):
            nodes.add_row(name, f'[{COLOURS.get(state, "red")}]{state}[/]')
        console.print(nodes)
        console.print(_agents(robot))


def _nodes(robot: RobotClient, health: Any) -> list[str]:
    from loom.ros.client import wait_for
    managed = {robot.node.get_namespace().rstrip('/') + '/' + name for name in health.nodes}
    # A guest knows the graph only after a while; what the supervisor manages is listed in any case.
    with suppress(DeadlineError):
        wait_for(lambda: managed <= set(robot.nodes()), DISCOVERY_S, 'not all nodes were found')
    return sorted({*robot.nodes(), *managed})


def _state(robot: RobotClient, name: str) -> str:
    try:
        return robot.state(name, STATE_S)
    except DeadlineError:
        return 'no answer'


def _agents(robot: RobotClient) -> Table:
    table = Table('agent', 'state', 'capability', 'what it does')
    try:
        directories = robot.directory()
    except DeadlineError:
        directories = []
    for directory in directories:
        for agent in directory.agents:
            heard = 'listens to ' + ', '.join(agent.listens)
            rows = [(c.name, c.description) for c in agent.capabilities] or [('', heard)]
            for number, (name, text) in enumerate(rows):
                table.add_row(*((agent.id, agent.state) if number == 0 else ('', '')), name, escape(text))
    return table
