"""loom list: what is running."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from loom.agents.directory import AgentCard, Directory
from loom.core.errors import DeadlineError, LoomError

if TYPE_CHECKING:
    from loom.ros.client import RobotClient

COLOURS = {'active': 'green', 'inactive': 'yellow', 'unconfigured': 'yellow'}
SHORT = 8
STATE_S = 2.0
DISCOVERY_S = 4.0


def list_robot(namespace: Annotated[str, typer.Option('--namespace', '-n', help='Namespace of the robot.')] = '',
               capability: Annotated[str, typer.Option(help='Only agents that can do this.')] = '',
               topic: Annotated[str, typer.Option(help='Only agents that listen to this event type.')] = '',
               state: Annotated[str, typer.Option(help='Only agents in this state: active, inactive, gone.')] = ''
               ) -> None:
    """Nodes, agents and capabilities with their states; of a query, only the agents that it finds."""
    from loom.ros.client import robot_client
    console = Console()
    # What is wrong with a query is said before the robot is looked for.
    Directory().find(capability, topic, state)
    with robot_client(namespace) as robot:
        if capability or topic or state:
            console.print(_agents(_directory(robot).find(capability, topic, state)))
            return
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
        with suppress(DeadlineError):
            console.print(_agents(_directory(robot).cards()))


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


def _directory(robot: RobotClient) -> Directory:
    from loom.ros.directory import directory_from
    return directory_from(robot.directory(), robot.node)


def _agents(cards: Iterable[AgentCard]) -> Table:
    table = Table('agent', 'state', 'host', 'incarnation', 'capability', 'what it does')
    for card in cards:
        first = (card.id, f'[{COLOURS.get(card.state, "red")}]{card.state}[/]', card.host, card.incarnation[:SHORT])
        rows = [(c.name, c.description) for c in card.capabilities] or [('', 'listens to ' + ', '.join(card.listens))]
        for number, (name, text) in enumerate(rows):
            table.add_row(*(first if number == 0 else ('',) * len(first)), name, escape(text))
    return table
