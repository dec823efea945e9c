"""The order of bring-up and stop, with nodes that are replaced by their lifecycle alone."""

from __future__ import annotations

import threading
from typing import Any

import pytest

pytest.importorskip('rclpy')

from builtin_interfaces.msg import Time
from loom_msgs.msg import Health

from loom.core.errors import DeadlineError, LoomError
from loom.ros.lifecycle import ACTIVATE, CLEANUP, CONFIGURE, DEACTIVATE, NAMES, STEPS
from loom.ros.supervision import Supervision
from loom.ros.supervisor_services import command, health_message, mode


class Managed:
    """The lifecycle of one node, in memory."""

    def __init__(self, name: str, history: list[tuple[str, str]]) -> None:
        self.name = name
        self.at = 'unconfigured'
        self.refuses: set[int] = set()
        self.silent = False
        self.history = history

    def ready(self) -> bool:
        return not self.silent

    def state(self, timeout_s: float) -> str:
        if self.silent:
            raise DeadlineError(f'{self.name} did not answer within {timeout_s} s')
        return self.at

    def transition(self, transition: int, timeout_s: float) -> None:
        start, end = STEPS[transition]
        if self.state(timeout_s) in (end, 'active' if transition == CONFIGURE else end):
            return
        if self.at != start:
            raise DeadlineError(f'{self.name} must {NAMES[transition]} within {timeout_s} s and did not')
        if transition in self.refuses:
            raise LoomError(f'{self.name} could not {NAMES[transition]}')
        self.history.append((NAMES[transition], self.name))
        self.at = end


class Robot:
    """Three nodes under supervision."""

    def __init__(self) -> None:
        self.history: list[tuple[str, str]] = []
        self.lines: list[str] = []
        self.nodes = {name: Managed(name, self.history) for name in 'abc'}
        self.supervision = Supervision(list(self.nodes.values()), 1.0, self.lines.append)  # type: ignore[arg-type]

    def states(self) -> list[str]:
        return [node.at for node in self.nodes.values()]

    def did(self, what: int) -> list[str]:
        return [name for step, name in self.history if step == NAMES[what]]


@pytest.fixture
def robot() -> Robot:
    return Robot()


def test_all_are_configured_before_the_first_is_activated_in_order(robot: Robot) -> None:
    robot.supervision.startup()
    assert {name for step, name in robot.history[:3]} == set('abc') == set(robot.did(CONFIGURE))
    assert robot.did(ACTIVATE) == list('abc')
    assert (robot.supervision.mode, robot.lines) == ('active', ['all 3 nodes are active'])


def test_the_stop_goes_backwards(robot: Robot) -> None:
    robot.supervision.startup()
    robot.supervision.shutdown()
    assert robot.did(DEACTIVATE) == robot.did(CLEANUP) == list('cba')
    assert robot.states() == ['unconfigured'] * 3 and robot.supervision.mode == 'stopped'


@pytest.mark.parametrize(('step', 'name'), [(step, name) for step in (CONFIGURE, ACTIVATE) for name in 'abc'])
def test_a_failed_start_goes_back_and_names_the_node(robot: Robot, step: int, name: str) -> None:
    robot.nodes[name].refuses = {step}
    with pytest.raises(LoomError, match=f'{name} could not {NAMES[step]}'):
        robot.supervision.startup()
    assert robot.states() == ['unconfigured'] * 3 and robot.supervision.mode == 'stopped'
    robot.nodes[name].refuses = set()
    robot.supervision.startup()
    assert robot.states() == ['active'] * 3


def test_a_node_that_does_not_answer_is_left_behind_and_named(robot: Robot) -> None:
    robot.supervision.startup()
    robot.nodes['b'].silent = True
    robot.supervision.shutdown()
    assert robot.states() == ['unconfigured', 'active', 'unconfigured']
    assert any('b was left as it is' in line for line in robot.lines)
    assert robot.supervision.states() == {'a': 'unconfigured', 'b': 'unknown', 'c': 'unconfigured'}


def test_pause_resume_reset(robot: Robot) -> None:
    robot.supervision.startup()
    robot.supervision.pause()
    assert (robot.states(), robot.supervision.mode) == (['inactive'] * 3, 'paused')
    robot.supervision.resume()
    assert (robot.states(), robot.supervision.mode) == (['active'] * 3, 'active')
    robot.supervision.reset()
    assert (robot.states(), robot.supervision.mode) == (['unconfigured'] * 3, 'stopped')
    assert robot.did(DEACTIVATE) == list('cba') * 2


def test_each_step_may_be_asked_for_twice(robot: Robot) -> None:
    for step in (robot.supervision.startup, robot.supervision.pause, robot.supervision.resume, robot.supervision.reset,
                 robot.supervision.shutdown):
        step()
        before = robot.states()
        step()
        assert robot.states() == before


def test_a_reset_of_a_stopped_robot_is_no_failure(robot: Robot) -> None:
    robot.supervision.reset()
    assert robot.states() == ['unconfigured'] * 3


def test_nodes_are_configured_side_by_side(robot: Robot) -> None:
    meeting = threading.Barrier(3, timeout=5)
    for node in robot.nodes.values():
        def together(transition: int, timeout_s: float, step: Any = node.transition) -> None:
            if transition == CONFIGURE:
                meeting.wait()
            step(transition, timeout_s)
        node.transition = together  # type: ignore[method-assign]
    robot.supervision.startup()
    assert robot.supervision.mode == 'active'


def test_a_robot_without_nodes_is_active() -> None:
    supervision = Supervision([], 1.0, lambda _: None)
    supervision.startup()
    assert (supervision.mode, supervision.states()) == ('active', {})


def test_commands_have_the_numbers_of_nav2(robot: Robot) -> None:
    s = robot.supervision
    assert [command(s, n) for n in range(7)] == [
        s.startup, s.pause, s.resume, s.reset, s.shutdown, s.configure, s.reset]
    with pytest.raises(LoomError, match=r'command must be one of 0\.\.6, got 7') as refused:
        command(s, 7)
    assert refused.value.code == 1
    with pytest.raises(LoomError, match="mode must be one of active, paused, got 'asleep'"):
        mode(s, 'asleep')


@pytest.mark.parametrize(('mode_name', 'states', 'failure', 'level', 'text'), [
    ('active', {'a': 'active'}, '', Health.OK, ''), ('active', {}, '', Health.OK, ''),
    ('active', {'a': 'inactive', 'b': 'active'}, '', Health.DEGRADED, 'a is inactive'),
    ('active', {'a': 'unknown'}, '', Health.DOWN, 'a is unknown'),
    ('paused', {'a': 'inactive'}, '', Health.DEGRADED, 'paused'),
    ('stopped', {'a': 'unconfigured'}, 'a could not configure', Health.DOWN, 'a could not configure')])
def test_health_is_the_worst_of_the_nodes(mode_name: str, states: dict[str, str], failure: str, level: int,
                                          text: str) -> None:
    message = health_message(mode_name, states, failure, Time())
    assert (message.level, message.message, message.mode) == (level, text, mode_name)
    assert dict(zip(message.nodes, message.states)) == states
