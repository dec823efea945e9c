"""loom latency: where the time goes between sensors and actuators."""

from __future__ import annotations

import time
from itertools import count
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

PERIOD_S = 1.0


def latency(namespace: Annotated[str, typer.Option('--namespace', '-n', help='Namespace of the robot.')] = '',
            watch: Annotated[bool, typer.Option('--watch', '-w', help='Goes on until Ctrl-C.')] = False) -> None:
    """Each chain from sensor to actuator of the last minute: queue, compute and transport of every stage."""
    from loom.core.errors import DeadlineError, LoomError
    from loom.ros.client import DISCOVERY_S, robot_client, wait_for
    from loom.ros.latency import hear_latency
    with robot_client(namespace) as robot:
        chains = hear_latency(robot.node)
        try:
            wait_for(lambda: bool(chains), DISCOVERY_S, 'no chain from a sensor to an actuator ended')
        except DeadlineError as error:
            raise LoomError(f'{error}; is the robot up (see: loom list), and does it move?') from None
        # The nodes that end chains tell one after the other.
        time.sleep(PERIOD_S)
        with Live(_table(chains), console=Console()) as live:
            for _ in count() if watch else ():
                time.sleep(PERIOD_S)
                live.update(_table(chains))


def _table(chains: dict[str, Any]) -> Table:
    table = Table('stage', 'transport ms', 'queue ms', 'compute ms', 'p50 ms', 'p99 ms', 'count', 'late',
                  title='sensor to actuator, medians of the last minute', title_justify='left')
    for chain in list(chains.values()):
        table.add_row(f'[bold]{escape(chain.chain)}[/]', '', '', '', f'{chain.p50_ms:.1f}', f'{chain.p99_ms:.1f}',
                      str(chain.count), str(chain.late))
        for row in zip(chain.stages, chain.transport_p50_ms, chain.queue_p50_ms, chain.compute_p50_ms,
                       chain.total_p99_ms):
            stage, *medians, p99_ms = row
            table.add_row(f'  {escape(stage)}', *(f'{value:.2f}' for value in medians), '', f'{p99_ms:.2f}', '', '')
    return table
