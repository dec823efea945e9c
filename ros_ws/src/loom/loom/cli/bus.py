"""loom bus: the books of all queues: what was offered, delivered, dropped and why, and who waits for whom."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from loom.core.errors import DeadlineError, LoomError

PERIOD_S = 1.0


def bus(namespace: Annotated[str, typer.Option('--namespace', '-n', help='Namespace of the robot.')] = '',
        watch: Annotated[bool, typer.Option('--watch', '-w', help='Go on until Ctrl-C.')] = False) -> None:
    """What became of every event, for each subscription and publisher."""
    from loom.ros.client import robot_client
    with robot_client(namespace) as robot:
        try:
            books = robot.accounts()
        except DeadlineError:
            raise LoomError('no bus publishes its accounts on loom/bus/accounts; type: loom up') from None
        if not watch:
            Console().print(tables(books))
            return
        with Live(tables(books)) as live:
            while True:
                time.sleep(PERIOD_S)
                live.update(tables(robot.accounts()))


def tables(books: list[Any]) -> Group:
    """Readers and writers of all books as tables."""
    readers = Table('node', 'topic', 'class', 'offered', 'delivered', 'failed', 'expired', 'queued', 'dropped',
                    'waited ms p50/p99', title='subscriptions', title_justify='left')
    writers = Table('node', 'topic', 'class', 'published', 'held', 'refused', title='publishers', title_justify='left')
    for accounts in sorted(books, key=lambda a: a.node):
        for r in sorted(accounts.readers, key=lambda r: r.topic):
            dropped = ', '.join(f'{number} {escape(reason)}' for reason, number in zip(r.reasons, r.dropped))
            wrong = unexplained(r)
            readers.add_row(accounts.node, r.topic, r.delivery, str(r.offered), str(r.delivered), str(r.failed or ''),
                            str(r.expired or ''), str(r.queued or ''),
                            f'[red]{wrong} unexplained[/] {dropped}' if wrong else dropped,
                            f'{r.wait_p50_ms:.2f} / {r.wait_p99_ms:.2f}')
        for w in sorted(accounts.writers, key=lambda w: w.topic):
            writers.add_row(accounts.node, w.topic, w.delivery, str(w.published), str(w.held or ''),
                            str(w.refused or ''))
    return Group(readers, writers)


def unexplained(reader: Any) -> int:
    """What of an account does not balance: 0, or the books are wrong."""
    return int(reader.offered - reader.delivered - reader.expired - reader.queued - sum(reader.dropped))
