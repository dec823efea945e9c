"""RobotClient: what a guest sees of a robot, and that it stays a guest."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

rclpy = pytest.importorskip('rclpy')

from loom_msgs.msg import Directory, Health  # noqa: E402
from rosgraph_msgs.msg import Clock  # noqa: E402

from loom.core.delivery import STATE  # noqa: E402
from loom.core.errors import ConfigError, DeadlineError  # noqa: E402
from loom.core.event import Event  # noqa: E402
from loom.ros.bus import RosBus  # noqa: E402
from loom.ros.client import RobotClient, robot_client, wait_for  # noqa: E402
from loom.ros.node import LoomNode  # noqa: E402
from loom.ros.qos import publisher_profile  # noqa: E402

Until = Callable[..., None]


class Host(LoomNode):
    """A node with a directory, which listens."""

    __module__ = 'nodes.host'

    def configure(self) -> None:
        self.heard: list[Event] = []
        self.publisher(Directory, 'loom/directory', STATE).publish(Directory(host='host'))
        self.publisher(Health, 'loom/health', STATE).publish(Health(mode='active'))
        self.listen('text.*', self.heard.append)


@pytest.fixture
def guest(ros: Any) -> Iterator[RobotClient]:
    with robot_client(ros.namespace) as client:
        yield client


@pytest.fixture
def host(ros: Any) -> Host:
    node: Host = ros.add(Host)
    node.trigger_configure()
    return node


def test_it_sees_nodes_states_and_latched_topics_but_not_itself(ros: Any, host: Host, guest: RobotClient,
                                                                until: Until) -> None:
    name = f'/{ros.namespace}/host'
    until(lambda: guest.nodes() == [name], f'{guest.nodes()}')
    assert guest.state(name, 5.0) == 'inactive'
    assert [d.host for d in guest.directory()] == ['host'] and guest.health().mode == 'active'


def test_each_host_has_its_directory(ros: Any, host: Host, guest: RobotClient, until: Until) -> None:
    other = ros.add(rclpy.create_node, 'other')
    publisher = other.create_publisher(Directory, 'loom/directory', publisher_profile(STATE))
    publisher.publish(Directory(host='second'))
    until(lambda: guest.node.count_publishers('loom/directory') == 2)
    assert {d.host for d in guest.directory()} == {'host', 'second'}


def test_it_speaks_once_somebody_listens(host: Host, guest: RobotClient, until: Until) -> None:
    with pytest.raises(DeadlineError, match=r'nobody listens to text.typed'):
        guest.publish('text.typed', {'text': 'hi'}, timeout_s=0.2)
    host.trigger_activate()
    sent = guest.publish('text.typed', {'text': 'hi'})
    until(lambda: [e.id for e in host.heard] == [sent.id])


def test_it_hears_events_and_a_full_queue_stays_bounded(ros: Any, guest: RobotClient, monkeypatch: pytest.MonkeyPatch,
                                                        until: Until) -> None:
    monkeypatch.setattr('loom.ros.client.MAX_EVENTS', 3)
    arrived = guest.events('test.*')
    bus = RosBus(ros.add(rclpy.create_node, 'source'))
    for number in range(10):
        bus.publish(Event.create('test.thing', number, source='s', stamp_ns=0))
    until(lambda: guest.bus.counts().get('delivered') == 10)
    assert [arrived.get_nowait().data for _ in range(3)] == [0, 1, 2] and arrived.empty()


def test_what_is_not_there_is_missed_in_time(guest: RobotClient) -> None:
    for ask in (lambda: guest.state('ghost', 0.2), lambda: guest.directory(0.2), lambda: guest.health(0.2)):
        with pytest.raises(DeadlineError, match=r'within 0\.2 s'):
            ask()


def test_it_follows_the_clock_of_its_namespace(ros: Any, guest: RobotClient) -> None:
    simulator = ros.add(rclpy.create_node, 'simulator')
    clock = simulator.create_publisher(Clock, 'clock', 10)
    message = Clock()
    message.clock.sec = 42
    simulator.create_timer(0.02, lambda: clock.publish(message))
    guest.follow_clock(5.0)
    assert guest.clock.now_ns() == 42 * 10**9


def test_without_a_simulator_it_keeps_the_computers_time(guest: RobotClient) -> None:
    guest.follow_clock(0.1)
    assert abs(guest.clock.now_ns() - time.time_ns()) < 10**9


@pytest.mark.parametrize('namespace', ['1st', 'a b', 'a//b', 'ä'])
def test_a_namespace_that_is_none_is_refused(namespace: str) -> None:
    with pytest.raises(ConfigError, match='namespace must be'):
        robot_client(namespace).__enter__()


@pytest.mark.parametrize('namespace', ['/robot', 'robot', 'robot/'])
def test_a_namespace_may_be_written_with_slashes(namespace: str) -> None:
    with robot_client(namespace) as client:
        assert client.node.get_namespace() == '/robot'


def test_nothing_stays_behind() -> None:
    before = set(threading.enumerate())
    with pytest.raises(ValueError, match='inside'), robot_client('x'):
        raise ValueError('inside')
    assert set(threading.enumerate()) - before == set()
    with robot_client('x') as later:
        assert later.node.get_node_names_and_namespaces().count((later.node.get_name(), '/x')) == 1


def test_waiting_has_a_deadline() -> None:
    wait_for(lambda: True, 0.0, 'never')
    with pytest.raises(DeadlineError, match=r'the door stayed shut within 0\.1 s'):
        wait_for(lambda: False, 0.1, 'the door stayed shut')
