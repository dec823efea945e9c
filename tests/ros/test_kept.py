"""A process under the keeper: its nodes take their steps themselves, say what went wrong, and show that they live."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip('rclpy')

from burial import bury_the_dead
from process_tree import name_of

from loom.core.errors import ConfigError, DeviceError
from loom.ros import kept as kept_module
from loom.ros.kept import MAX_REASON, Kept, reach, state_of
from loom.ros.node import LoomNode
from loom.supervise import link as link_module
from loom.supervise.channel import Channel
from loom.supervise.link import Link

Until = Callable[..., None]
STATES = ('unconfigured', 'inactive', 'active')
RUN = """
import sys, socket
from loom.ros.kept import Kept
from loom.ros.process import run
from loom.supervise.channel import Channel
from loom.supervise.link import Link
nodes = sys.argv[2].split() if len(sys.argv) > 2 and not sys.argv[2].startswith('-') else []
run(kept=Kept(Link(Channel(socket.socket(fileno=int(sys.argv[1])))), nodes))
"""


class Pump(LoomNode):
    """Writes down its steps; may be told to fail."""

    __module__ = 'nodes.pump'

    def __init__(self, **options: Any) -> None:
        self.steps: list[str] = []
        self.broken: dict[str, Exception] = {}
        self.pressure: Callable[[], str] = lambda: ''
        super().__init__(**options)

    def take(self, step: str) -> None:
        if step in self.broken:
            raise self.broken[step]
        self.steps.append(step)

    def configure(self) -> None:
        self.take('configure')

    def activate(self) -> None:
        self.take('activate')

    def deactivate(self) -> None:
        self.take('deactivate')

    def cleanup(self) -> None:
        self.take('cleanup')

    def fault(self) -> str:
        return self.pressure()


class Keeper:
    """The keeper's end of a channel, and the process's on the test's executor."""

    def __init__(self, ros: Any, until: Until, *nodes: LoomNode) -> None:
        self.until = until
        self.channel, theirs = Channel.pair()
        self.messages: list[dict[str, Any]] = []
        self.kept = Kept(Link(theirs), [node.get_name() for node in nodes])
        self.kept.given(ros.executor, bytes(12), lambda: False, lambda: None)
        self.kept.take_over(nodes)

    def hear(self) -> list[dict[str, Any]]:
        while (message := self.channel.receive()) is not None:
            self.messages.append(message)
        return self.messages

    def expect(self, **message: Any) -> None:
        self.until(lambda: message in self.hear(), f'{message} was not said')


@pytest.fixture
def pump(ros: Any) -> Pump:
    node: Pump = ros.add(Pump)
    return node


@pytest.fixture
def keep(ros: Any, until: Until, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Keeper]]:
    """Puts nodes of this process under a keeper; the end of the keeper would end the process."""
    ends: list[int] = []
    monkeypatch.setattr('loom.ros.kept.os.kill', lambda pid, number: ends.append(number))
    keepers: list[Keeper] = []

    def make(*nodes: LoomNode) -> Keeper:
        keepers.append(Keeper(ros, until, *nodes))
        return keepers[-1]
    yield make
    for keeper in keepers:
        keeper.channel.close()
    until(lambda: ends == [signal.SIGTERM] * len(keepers), 'nobody ends when the keeper does')
    link_module._lines.clear()


@pytest.mark.parametrize('start', STATES)
@pytest.mark.parametrize('end', STATES)
def test_every_state_is_reached_from_every_other(pump: Pump, start: str, end: str) -> None:
    assert reach(pump, start) == '' == reach(pump, end)
    assert state_of(pump) == end
    up, down = ['configure', 'activate'], ['deactivate', 'cleanup']
    a, b = STATES.index(start), STATES.index(end)
    assert pump.steps == up[:a] + (up[a:b] if b > a else down[2 - a:2 - b])


def test_parameter_services_come_when_the_rush_of_the_start_is_over(
        ros: Any, keep: Callable[..., Keeper], until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_module, 'PARAMETERS_S', 0.0)
    nodes = [ros.add(Pump, node_name=name, start_parameter_services=False) for name in ('late', 'later')]
    asked = ['get_parameter_types', 'get_parameters', 'list_parameters', 'set_parameters']

    def served() -> list[str]:
        names = [name for node in nodes for name, _ in ros.nodes[0].get_service_names_and_types_by_node(
            node.get_name(), node.get_namespace())]
        return [name.rpartition('/')[2] for name in sorted(names) if name.rpartition('/')[2] in asked]
    assert served() == []
    keeper = keep(*nodes)
    until(lambda: served() == asked, 'the first has none, with the first beat')
    keeper.kept.beat(now=True)
    until(lambda: served() == 2 * asked)
    keeper.kept.beat(now=True)
    assert len(list(nodes[0].services)) == len(list(ros.add(Pump, node_name='at_once').services))


@pytest.mark.parametrize(('step', 'left_in'), [('configure', 'unconfigured'), ('activate', 'inactive')])
def test_a_step_that_fails_gives_its_reason_and_may_be_tried_again(pump: Pump, step: str, left_in: str) -> None:
    pump.broken = {step: DeviceError('no pump 7; there is: 0')}
    assert reach(pump, 'active') == f'{step}: no pump 7; there is: 0'
    assert state_of(pump) == left_in
    pump.broken = {}
    assert reach(pump, 'active') == '' and state_of(pump) == 'active'


def test_a_reason_is_short_enough_to_be_said(pump: Pump) -> None:
    pump.broken = {'configure': ValueError('x' * 1_000_000)}
    assert len(reach(pump, 'active')) == MAX_REASON


def test_a_node_that_was_finalized_says_that_it_can_not(pump: Pump) -> None:
    pump.trigger_shutdown()
    assert reach(pump, 'active') == 'it is finalized, from where it can not become active'


def test_wants_are_obeyed_on_the_executor_and_told_at_once(keep: Callable[..., Keeper], pump: Pump) -> None:
    keeper = keep(pump)
    keeper.expect(states={'pump': 'unconfigured'})
    keeper.channel.send(want={'pump': 'active'})
    keeper.expect(states={'pump': 'active'})
    keeper.expect(done={'pump': 'active'})
    said = keeper.messages
    assert said.index({'busy': 'pump'}) < said.index({'states': {'pump': 'active'}}) < len(said) - 1
    assert said[-1] == {'done': {'pump': 'active'}}, 'the state is told before'
    keeper.channel.send(want={'pump': 'unconfigured', 'stranger': 'active'})
    keeper.expect(done={'pump': 'unconfigured'})
    assert pump.steps == ['configure', 'activate', 'deactivate', 'cleanup']


def test_a_failure_is_told_and_the_others_go_on(keep: Callable[..., Keeper], ros: Any, pump: Pump) -> None:
    valve = ros.add(Pump, node_name='valve')
    pump.broken = {'configure': DeviceError('no pump 7')}
    keeper = keep(pump, valve)
    keeper.channel.send(want={'pump': 'active', 'valve': 'active'})
    keeper.expect(done={'pump': 'active'}, failed={'pump': 'configure: no pump 7'}, misconfigured=False)
    keeper.expect(states={'pump': 'unconfigured', 'valve': 'active'})


def test_a_wrong_setting_is_told_from_other_failures(keep: Callable[..., Keeper], pump: Pump) -> None:
    pump.broken = {'configure': ConfigError('no pump named 7')}
    keeper = keep(pump)
    keeper.channel.send(want={'pump': 'active'})
    keeper.expect(done={'pump': 'active'}, failed={'pump': 'configure: no pump named 7'}, misconfigured=True)


def test_what_a_node_says_of_itself_is_told_with_each_sign_of_life(keep: Callable[..., Keeper], pump: Pump) -> None:
    keeper = keep(pump)
    keeper.kept.beat(now=True)
    pump.pressure = lambda: 'the pressure is gone'
    keeper.kept.beat()
    assert not any('faults' in message for message in keeper.hear()), 'ten times a second at most'
    keeper.kept.beat(now=True)
    keeper.expect(faults={'pump': 'the pressure is gone'})
    pump.pressure = lambda: str(1 / 0)
    keeper.kept.beat(now=True)
    keeper.expect(faults={'pump': 'ZeroDivisionError: division by zero'})


class Forked:
    """A process that was started with one end of a channel, as the keeper does."""

    def __init__(self, ros: Any, until: Until, nodes: str = '') -> None:
        self.until = until
        self.channel, theirs = Channel.pair()
        os.set_inheritable(theirs.fileno(), True)
        command = [sys.executable, '-c', RUN, str(theirs.fileno()), *([nodes] if nodes else []),
                   '--ros-args', '-r', f'__ns:=/{ros.namespace}']
        self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        theirs.close()
        self.messages: list[dict[str, Any]] = []

    def hear(self) -> list[dict[str, Any]]:
        while (message := self.channel.receive()) is not None:
            self.messages.append(message)
        return self.messages

    def expect(self, **message: Any) -> None:
        self.until(lambda: message in self.hear(), f'{message} was not said', 20.0)


@pytest.fixture
def fork(ros: Any, until: Until) -> Iterator[Callable[..., Forked]]:
    started: list[Forked] = []

    def start(nodes: str = '') -> Forked:
        started.append(Forked(ros, until, nodes))
        return started[-1]
    yield start
    for one in started:
        one.process.kill()
        one.process.wait(10.0)
        bury_the_dead()


def test_a_spare_is_known_to_others_and_becomes_what_it_is_told(fork: Callable[..., Forked], ros: Any) -> None:
    import rclpy
    guest = ros.add(rclpy.create_node, 'guest')
    spare = fork()
    spare.until(lambda: len(spare.hear()) >= 3, 'a spare gives signs of life', 20.0)
    assert [sorted(message) for message in spare.messages] == [['participant'], *[[]] * (len(spare.messages) - 1)]
    place = f'_participant_{spare.process.pid}_'
    spare.until(lambda: any(n.startswith(place) for n in guest.get_node_names()), 'its participant is not known')
    spare.channel.send(nodes=['synthetic', 'second_source=synthetic'])
    spare.expect(states={'synthetic': 'unconfigured', 'second_source': 'unconfigured'})
    spare.channel.send(want={'second_source': 'active'})
    spare.expect(states={'synthetic': 'unconfigured', 'second_source': 'active'})
    spare.until(lambda: {'synthetic', 'second_source'} <= set(guest.get_node_names()), 'its nodes are not known')


@pytest.mark.parametrize('nodes', ['', 'synthetic'])
def test_it_ends_cleanly_when_the_keeper_has_ended(fork: Callable[..., Forked], nodes: str) -> None:
    one = fork(nodes)
    one.until(lambda: one.hear(), 'no sign of life', 20.0)
    one.channel.close()
    assert one.process.wait(5.0) == 0


def test_the_process_is_called_like_its_nodes(fork: Callable[..., Forked]) -> None:
    one = fork('synthetic')
    one.expect(states={'synthetic': 'unconfigured'})
    assert name_of(one.process.pid) == 'synthetic'
