"""The directory on the graph: messages, hosts that die, readers and brokers that come and go."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

rclpy = pytest.importorskip('rclpy')

from burial import bury_the_dead  # noqa: E402
from directory_reader import read  # noqa: E402
from rclpy.node import Node  # noqa: E402

from loom import Agent, Context  # noqa: E402
from loom.agents.directory import Directory  # noqa: E402
from loom.core.clock import wall_ns  # noqa: E402
from loom.core.event import Event  # noqa: E402
from loom.ros.bus import RosBus  # noqa: E402
from loom.ros.directory import (  # noqa: E402
    TELL,
    TOPIC,
    DirectoryReader,
    cards_of,
    directory_from,
    directory_of,
)
from loom.ros.qos import publisher_profile  # noqa: E402

Until = Callable[..., None]
MEMBER = Path(__file__).with_name('directory_member.py')
REPLY_S = 20.0
# A host that is killed must be known to be gone, one that is back must be known, within so long.
KNOWN_S = 2.0
# From the order to start a process to its first event, on a machine that does other things too.
START_S = 6.0
UP = {'anna': 'active', 'bert': 'active'}
anna, bert = Agent('anna'), Agent('bert')


@anna.capability
async def greet(ctx: Context) -> None:
    """Greet."""


@bert.capability(idempotent=True)
async def wave(ctx: Context) -> None:
    """Wave."""


class Nursery:
    """Asks for a child by role; all of them end with it."""

    def __init__(self, folder: Path) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._folder = folder
        self._channel = ours
        self._channel.settimeout(REPLY_S)
        self._children: list[int] = []
        self._process = subprocess.Popen([sys.executable, str(MEMBER), str(theirs.fileno())],
                                         pass_fds=[theirs.fileno()])
        theirs.close()

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._channel.close()
        for pid in self._children:
            self.kill(pid)
        self._process.kill()
        self._process.wait()

    def start(self, role: str, **options: Any) -> int:
        """The number of a new process that has this role."""
        output = str(self._folder / f'{role}_{len(self._children)}')
        self._channel.send(json.dumps({'role': role, 'output': output, **options}).encode())
        self._children.append(int(self._channel.recv(64)))
        return self._children[-1]

    def output(self, pid: int) -> list[Any]:
        """What a process wrote so far, line by line."""
        for path in self._folder.glob(f'*_{self._children.index(pid)}'):
            return [json.loads(line) for line in path.read_text().splitlines() if line.startswith(('{', '['))]
        return []

    def kill(self, pid: int, number: int = signal.SIGKILL) -> None:
        """Sends a signal to one of its processes."""
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        bury_the_dead(pid if number == signal.SIGKILL else 0)


@pytest.fixture(scope='module')
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with Nursery(tmp_path_factory.mktemp('nursery')) as made:
        yield made


def states(directory: Directory) -> dict[str, str]:
    return {card.id: card.state for card in directory.cards() if card.id in UP}


class Robot:
    """Two hosts in processes of their own, and a reader in the test's."""

    def __init__(self, ros: Any, nursery: Nursery) -> None:
        self.namespace = ros.namespace
        self.nursery = nursery
        self.hosts = {name: self.start(name) for name in ('anna', 'bert')}
        self.changes: list[dict[str, str]] = []
        self.reader = read(ros, lambda directory: self.changes.append(states(directory)))

    def start(self, agent: str) -> int:
        return self.nursery.start('agent_host', name=f'host_{agent}', namespace=self.namespace,
                                  agents=[f'directory_member:{agent}'])

    @property
    def states(self) -> dict[str, str]:
        return states(self.reader.directory)


@pytest.fixture
def robot(ros: Any, nursery: Nursery, until: Until) -> Iterator[Robot]:
    made = Robot(ros, nursery)
    until(lambda: made.states == UP, 'not all hosts came up')
    yield made
    for pid in made.hosts.values():
        nursery.kill(pid)


def test_cards_come_back_as_they_went() -> None:
    agent = Agent('guard', listens=('camera.*.person',))

    @agent.capability
    async def patrol(ctx: Context, laps: int = 1) -> dict[str, int]:
        """Walk."""
        return {}

    @agent.capability(timeout_s=1.0)
    async def count(ctx: Context) -> AsyncIterator[int]:
        """Count."""
        yield 1

    message = directory_of('host', [agent.card(), bert.card()], 1_000_000_000)
    assert cards_of(message) == (agent.card(), bert.card())
    assert (message.host, message.stamp.sec) == ('host', 1)


def test_a_message_says_which_process_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('LOOM_INCARNATION', '0123456789abcdef')
    first, second = (directory_of('host', [], 0) for _ in range(2))
    assert first.incarnation == second.incarnation == '0123456789abcdef' and first.order < second.order
    monkeypatch.delenv('LOOM_INCARNATION')
    assert len(directory_of('host', [], 0).incarnation) == 16
    assert directory_of('host', [], 0).incarnation == directory_of('host', [], 0).incarnation


def test_a_killed_host_is_gone_and_back_after_its_restart(robot: Robot, until: Until) -> None:
    for _ in range(3):
        robot.nursery.kill(robot.hosts['anna'])
        until(lambda: robot.states == {**UP, 'anna': 'gone'}, f'anna was not gone: {robot.states}', KNOWN_S)
        assert [card.id for card in robot.reader.directory.find(capability='greet', state='gone')] == ['anna']
        robot.hosts['anna'] = robot.start('anna')
        until(lambda: robot.states == UP, f'anna was not back: {robot.states}', START_S)
    assert all(change['bert'] == 'active' for change in robot.changes if 'bert' in change)


def test_a_host_that_is_replaced_at_once_leaves_no_old_incarnation(robot: Robot, until: Until) -> None:
    def incarnation() -> str:
        return next(card.incarnation for card in robot.reader.directory.find(capability='greet', state=''))
    before = incarnation()
    robot.nursery.kill(robot.hosts['anna'])
    robot.hosts['anna'] = robot.start('anna')
    until(lambda: incarnation() != before and robot.states == UP, 'the new incarnation is not known', START_S)
    end_s = time.monotonic() + KNOWN_S
    until(lambda: robot.states != UP or time.monotonic() > end_s)
    assert robot.states == UP, 'the death of the old incarnation was taken for that of the new one'


def test_a_host_that_stands_still_is_gone_and_another_in_its_place_is_known(robot: Robot, until: Until) -> None:
    # DDS does not always find a process again that was away for longer than its lease: the keeper replaces it.
    robot.nursery.kill(robot.hosts['bert'], signal.SIGSTOP)
    until(lambda: robot.states == {**UP, 'bert': 'gone'}, 'bert was not gone', KNOWN_S)
    robot.nursery.kill(robot.hosts['bert'])
    robot.hosts['bert'] = robot.start('bert')
    until(lambda: robot.states == UP, f'bert was not back: {robot.states}', START_S)


def test_a_killed_reader_has_all_hosts_again(robot: Robot, until: Until) -> None:
    for _ in range(3):
        pid = robot.nursery.start('reader', namespace=robot.namespace)
        until(lambda pid=pid: any({**row, **UP} == row for row in robot.nursery.output(pid)),
              'the reader did not know all hosts', KNOWN_S)
        robot.nursery.kill(pid)


def test_a_killed_broker_offers_the_same_again_and_nothing_of_the_dead(ros: Any, robot: Robot, until: Until) -> None:
    bus = RosBus(ros.add(rclpy.create_node, 'tester'))
    answers: dict[str, Any] = {}
    bus.receive('tester', lambda event: answers.__setitem__(event.correlation_id, event.data))

    def answered(capability: str, **arguments: Any) -> Any:
        data = {'name': capability, 'arguments': arguments, 'timeout_s': 1.0}
        call = Event.create('capability.call', data, source='tester', sender='tester', reply_to='tester',
                            stamp_ns=wall_ns(), id=uuid.uuid4().hex)
        bus.send('action_broker', call)
        until(lambda: 'error_code' in answers.get(call.id, {}), f'{capability} was not answered', START_S)
        return answers[call.id]

    for number in range(3):
        broker = robot.nursery.start('action_broker', namespace=robot.namespace)
        until(lambda: answered('wave')['result'] == 'waving', 'the broker does not offer what it did', START_S)
        until(lambda: answered('greet', name='Eve')['result'] == 'hello Eve', 'the broker offers one only', START_S)
        if number < 2:
            robot.nursery.kill(broker)
    robot.nursery.kill(robot.hosts['bert'])
    until(lambda: robot.states['bert'] == 'gone', 'bert was not gone', KNOWN_S)
    # It is waited for as long as the caller waits.
    until(lambda: answered('wave')['error_code'] == 108, 'a capability of a dead host was offered', START_S)
    assert answered('greet', name='Eve')['result'] == 'hello Eve'


def test_a_message_that_can_not_be_read_is_left_out(ros: Any, until: Until) -> None:
    broken = directory_of('broken', [anna.card()], 0)
    broken.agents[0].capabilities[0].schema = '{'
    teller = ros.add(rclpy.create_node, 'broken')
    teller.create_publisher(type(broken), TOPIC, publisher_profile(TELL)).publish(broken)
    good = ros.add(rclpy.create_node, 'good')
    good.create_publisher(type(broken), TOPIC, publisher_profile(TELL)).publish(directory_of('good', [bert.card()], 0))
    reader = read(ros)
    until(lambda: reader.directory.hosts.keys() == {'good'})
    now = directory_from([directory_of('good', [bert.card()], 0), directory_of('away', [anna.card()], 0)], teller)
    assert [(card.id, card.state) for card in now.cards()] == [('bert', 'active'), ('anna', 'gone')]


def test_a_reader_ends_without_a_trace(ros: Any) -> None:
    node = Node('short', context=ros.context)
    DirectoryReader(node).close()
    assert not list(node.timers) and all(not s.topic_name.endswith(TOPIC) for s in node.subscriptions)
    node.destroy_node()
