"""The keeper, with processes in memory and a clock that is set by hand: start, failures, the end."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent))
from robot_in_memory import ACTIVE, HEARTBEAT_S, KILL_S, NODES, SECTION, START_S, Robot, robot

from loom.supervise import vitals
from loom.supervise.keeper import BAD_CONFIG

# --- start ----------------------------------------------------------------------------------------


def test_all_processes_start_at_once_and_nodes_in_the_order_of_needs() -> None:
    one = robot()
    one.crew.slow_s = {'safety': 2.0, 'memory': 1.0}
    one.keeper.begin()
    assert [nodes for _, nodes, _ in one.crew.starts] == [(node,) for node in NODES]
    assert one.report()['mode'] == 'starting' and one.report()['level'] == 1
    one.until(one.well)
    asked = [(node, state) for _, node, state in one.crew.asked if node in ('host', 'safety')]
    assert asked == [('safety', 'active'), ('host', 'inactive'), ('host', 'active')]
    active_s = next(at_s for at_s, node, state in one.crew.asked if (node, state) == ('host', 'active'))
    assert active_s == pytest.approx(102.0), 'as soon as the slower of the two was there'
    assert one.said('all 5 nodes are active', 'INFO')
    assert one.report() == {'mode': 'active', 'states': ACTIVE, 'level': 0, 'message': '', 'restarts': {},
                            'given_up': []}


def test_without_autostart_the_nodes_wait_for_an_order() -> None:
    one = robot(mode='stopped')
    one.keeper.begin()
    one.until(lambda: one.said('all 5 nodes are unconfigured'))
    one.pass_s(3.0)
    assert one.crew.asked == [(100.0, 'supervisor', 'active')] and one.report()['level'] == 1
    assert one.order('active') == '' and one.report()['states'] == ACTIVE


def test_a_wrong_setting_at_the_start_ends_the_robot_with_2() -> None:
    one = robot()
    one.crew.stillborn = {'camera': BAD_CONFIG}
    assert one.keeper.run(lambda: False) == BAD_CONFIG
    assert one.said('camera has a wrong setting', 'ERROR') and one.crew.everybody() == []


def test_exit_code_2_of_a_process_that_was_up_is_a_failure_like_others() -> None:
    one = robot().up()
    one.life('camera').end('ended with exit code 2', BAD_CONFIG)
    one.recover()
    assert len(one.starts('camera')) == 2


def test_exit_code_2_while_others_still_start_is_a_failure_like_others_too() -> None:
    one = robot()
    one.crew.slow_s = {'safety': 2.0}
    one.keeper.begin()
    one.until(lambda: one.state('camera') == 'active')
    one.life('camera').end('ended with exit code 2', BAD_CONFIG)
    one.until(one.well)
    assert len(one.starts('camera')) == 2


def test_a_wrong_setting_that_is_found_in_a_transition_ends_a_robot_that_starts() -> None:
    one = robot()
    one.crew.refusals, one.crew.misconfigured = {('camera', 'active'): 'configure: no lens named 7'}, True
    assert one.keeper.run(lambda: False) == BAD_CONFIG
    assert one.said('camera: configure: no lens named 7: the robot does not come up', 'ERROR')


def test_a_wrong_setting_that_is_found_later_is_a_failure_like_others() -> None:
    one = robot().up()
    one.crew.refusals, one.crew.misconfigured = {('camera', 'active'): 'configure: no lens named 7'}, True
    one.die('camera')
    one.until(lambda: one.report()['given_up'] == ['camera'])


def test_another_exit_code_at_the_start_is_a_failure_like_others() -> None:
    one = robot()
    one.crew.stillborn = {'camera': 1}
    one.keeper.begin()
    one.until(lambda: len(one.starts('camera')) == 3)
    one.crew.stillborn = {}
    one.until(one.well)


# --- failures -------------------------------------------------------------------------------------


def test_a_death_is_a_restart_with_longer_and_longer_waits() -> None:
    one = robot().up()
    waits = []
    for _ in range(3):
        died_s = one.crew.now_s
        one.die('memory')
        one.until(lambda: one.state('memory') == 'unknown')
        assert one.report()['level'] == 2 and 'memory is unknown: was ended by SIGSEGV' in one.report()['message']
        one.until(one.well)
        waits.append(round(one.starts('memory')[-1] - died_s, 2))
    assert waits == [0.0, 0.25, 0.5]
    assert one.report()['restarts'] == {'memory': 3}
    assert one.said('memory was ended by SIGSEGV: memory will be started again in 0.25 s', 'WARN')
    assert one.said('memory is back 0.50 s after it failed', 'INFO')
    assert all(len(one.starts(node)) == 1 for node in NODES if node != 'memory'), 'the others are not touched'
    one.pass_s(61.0)
    assert one.report()['restarts'] == {}
    died_s = one.crew.now_s
    one.die('memory')
    one.recover()
    assert one.starts('memory')[-1] == pytest.approx(died_s), 'a new window'


@pytest.mark.parametrize('processes', [None, {'robot': NODES}])
def test_silence_is_a_failure(processes: dict[str, tuple[str, ...]] | None) -> None:
    one = robot(processes=processes).up()
    one.life('camera').hung = True
    begin_s = one.crew.now_s
    one.until(lambda: len(one.starts('camera')) == 2)
    assert HEARTBEAT_S - 0.1 <= one.crew.now_s - begin_s <= HEARTBEAT_S + 0.1
    assert one.said('gave no sign for 1 s', 'WARN')
    one.until(one.well)


def test_signs_of_life_are_enough() -> None:
    one = robot().up()
    one.pass_s(30.0)
    assert len(one.crew.lives) == len(NODES) and one.well()


def test_a_transition_may_take_longer_than_the_heartbeat_but_not_for_ever() -> None:
    one = robot()
    one.crew.slow_s = {'camera': START_S - 0.5}
    one.up()
    assert len(one.starts('camera')) == 1
    one.crew.slow_s = {'camera': 60.0}
    one.die('camera')
    one.until(lambda: len(one.starts('camera')) == 3)
    assert one.starts('camera')[2] - one.starts('camera')[1] == pytest.approx(START_S + 0.25, abs=0.1)
    assert one.said('camera gave no sign for 5 s')


def test_what_a_node_says_of_itself_is_a_failure_of_it_alone() -> None:
    one = robot(processes={'supervisor': ('supervisor',), 'mind': ('safety', 'memory', 'camera', 'host')}).up()
    one.life('camera').faults = {'camera': 'the lens is dirty'}
    one.until(lambda: len(one.starts('camera')) == 2)
    one.until(one.well)
    assert one.said('mind camera: the lens is dirty', 'WARN')
    assert one.report()['restarts'] == {'camera': 1}
    one.life('camera').say(faults={'camera': 'the first'})
    one.life('camera').say(faults={'memory': 'the second'})
    one.recover()
    assert one.report()['restarts'] == {'camera': 2}, 'the first is why'


def test_a_transition_that_fails_is_tried_again_in_place_after_the_wait() -> None:
    one = Robot(SECTION.replace('ON_FAILURE', 'degrade') + 'backoff_step_s: 0.13', NODES)
    one.crew.refusals = {('camera', 'active'): 'configure: no camera 7'}
    one.keeper.begin()
    one.until(lambda: one.report()['restarts'].get('camera') == 3)
    assert one.report()['message'] == 'camera is unconfigured: configure: no camera 7'
    assert one.said('camera failed: configure: no camera 7', 'WARN')
    one.crew.refusals = {}
    one.until(one.well)
    tries_s = [at_s for at_s, node, _ in one.crew.asked if node == 'camera']
    assert [round(b - a, 2) for a, b in itertools.pairwise(tries_s)] == [0.0, 0.13, 0.26]
    assert len(one.starts('camera')) == 1, 'its process need not end for that'


# --- processes that do not run as they should -----------------------------------------------------


def test_a_process_that_a_signal_stopped_is_noticed_in_the_middle_of_a_transition(
        monkeypatch: pytest.MonkeyPatch) -> None:
    one = robot().up()
    frozen: set[int] = set()
    monkeypatch.setattr(vitals, 'stopped', frozen.__contains__)
    one.crew.slow_s = {'camera': 100.0}
    one.die('camera')
    one.until(lambda: len(one.starts('camera')) == 2)
    one.pass_s(0.5)
    life, begin_s = one.life('camera'), one.crew.now_s
    life.hung = True
    frozen.add(life.child.pid)
    one.until(lambda: life.ended)
    assert one.crew.now_s - begin_s <= HEARTBEAT_S + 2 * KILL_S
    one.crew.slow_s = {}
    one.until(one.well)
    assert one.said('camera was stopped by a signal for 0.5 s')


def test_a_process_that_goes_on_in_time_is_not_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    one = robot().up()
    frozen: set[int] = set()
    monkeypatch.setattr(vitals, 'stopped', frozen.__contains__)
    for _ in range(5):
        frozen.add(one.life('camera').child.pid)
        one.pass_s(0.4)
        frozen.clear()
        one.pass_s(0.6)
    assert len(one.starts('camera')) == 1


def test_too_many_children_are_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    one = robot().up()
    children = {one.life('camera').child.pid: 64}
    monkeypatch.setattr(vitals, 'descendants', lambda pid: children.get(pid, 0))
    one.pass_s(2.0)
    assert len(one.starts('camera')) == 1, '64 is the most'
    children[one.life('camera').child.pid] = 65
    one.until(lambda: len(one.starts('camera')) == 2)
    one.until(one.well)
    assert one.said('camera has begun 65 processes, and 64 is the most')


def test_a_keeper_that_slept_calls_nobody_silent_and_is_awake_afterwards() -> None:
    one = robot().up()
    one.crew.now_s += 30.0
    one.pass_s(2.0)
    assert len(one.crew.lives) == len(NODES), 'nobody was killed'
    one.life('camera').hung = True
    begin_s = one.crew.now_s
    one.until(lambda: len(one.starts('camera')) == 2)
    assert one.crew.now_s - begin_s <= HEARTBEAT_S + 0.1


def test_spares_are_kept_once_the_robot_is_up_and_taken_by_those_declared_warm() -> None:
    one = robot()
    one.crew.slow_s = {'safety': 1.0}
    one.keeper.begin()
    one.until(lambda: one.state('memory') == 'active')
    assert one.crew.spares == 0, 'the start goes first'
    one.until(one.well)
    assert one.crew.spares == 1
    for node in ('host', 'camera'):
        one.die(node)
        one.until(lambda node=node: len(one.starts(node)) == 2)
    assert [(nodes, warm) for _, nodes, warm in one.crew.starts[-2:]] == [(('host',), True), (('camera',), False)]
