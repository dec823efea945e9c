"""loom bus: the books of all queues as two tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

rclpy = pytest.importorskip('rclpy')

from loom_msgs.msg import Accounts, ReaderAccount, WriterAccount  # noqa: E402

from loom.cli.bus import tables  # noqa: E402
from loom.cli.main import app  # noqa: E402
from loom.core.delivery import BACKGROUND  # noqa: E402
from loom.core.errors import DeadlineError, LoomError  # noqa: E402
from loom.core.event import Event  # noqa: E402
from loom.ros.bus import RosBus  # noqa: E402
from loom.ros.client import RobotClient  # noqa: E402

runner = CliRunner(env={'COLUMNS': '200'})


@pytest.fixture(autouse=True)
def _output_without_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    # The events executor enables faulthandler, which the runner's output, being no file, can't serve.
    monkeypatch.setattr('faulthandler.enable', lambda *_: None)


def test_it_shows_what_became_of_every_event(ros: Any, until: Callable[..., None]) -> None:
    sender, receiver = (RosBus(ros.add(rclpy.create_node, name)) for name in ('sender', 'receiver'))
    heard: list[Event] = []
    receiver.subscribe('test.thing', heard.append, BACKGROUND)
    for number in range(7):
        sender.publish(Event.create('test.thing', number, source='s', stamp_ns=1, expires_ns=number % 2), BACKGROUND)
    until(lambda: len(heard) == 4)
    rows: list[list[str]] = []

    def shown() -> bool:
        result = runner.invoke(app, ['bus', '-n', ros.namespace])
        assert result.exit_code == 0, result.output + repr(result.exception)
        rows[:] = [[cell.strip() for cell in line.strip('│').split('│')] for line in result.output.splitlines()
                   if 'test/thing' in line]
        return [row[3] for row in rows] == ['7', '7']
    until(shown, 'the accounts are not told')
    topic = f'/{ros.namespace}/loom/events/test/thing'
    assert rows[0][:9] == [f'/{ros.namespace}/receiver', topic, 'BACKGROUND', '7', '4', '', '3', '', '']
    assert rows[1] == [f'/{ros.namespace}/sender', topic, 'BACKGROUND', '7', '', '']
    for bus in (sender, receiver):
        bus.close()


def test_an_account_that_does_not_balance_is_named() -> None:
    reader = ReaderAccount(topic='t', delivery='REALTIME', offered=10, delivered=5, expired=1, queued=1,
                           reasons=['lost', '[odd]'], dropped=[1, 1])
    writer = WriterAccount(topic='t', delivery='REALTIME', published=9, held=3, refused=2)
    with (console := Console(width=160)).capture() as output:
        console.print(tables([Accounts(node='a', readers=[reader], writers=[writer])]))
    assert '1 unexplained 1 lost, 1 [odd]' in output.get()


def test_with_no_bus_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(_: RobotClient) -> list[Accounts]:
        raise DeadlineError('nothing on loom/bus/accounts')
    monkeypatch.setattr(RobotClient, 'accounts', silent)
    result = runner.invoke(app, ['bus', '-n', 'nowhere'])
    assert isinstance(result.exception, LoomError) and 'no bus publishes its accounts' in str(result.exception)
