"""The keeper, with processes in memory and a clock that is set by hand."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent))
from robot_in_memory import KILL_S, Robot

from loom.supervise import keeper as keeper_module
from loom.supervise.keeper import BAD_CONFIG, GIVEN_UP

# host needs memory and safety, memory may be absent in the end, safety stays active in the safe state.
NODES = ('supervisor', 'safety', 'memory', 'camera', 'host')
SECTION = """
start_s: 5.0
restarts: 3
safe_state: [safety]
nodes:
  camera: {on_failure: ON_FAILURE}
  host: {needs: [safety, memory], standby: warm, restarts: 6}
"""
HEARTBEAT_S, START_S, END_S = 1.0, 5.0, 1.5
ACTIVE = dict.fromkeys(NODES[1:], 'active')


def robot(on_failure: str = 'degrade', **options: object) -> Robot:
    return Robot(SECTION.replace('ON_FAILURE', on_failure), NODES, **options)  # type: ignore[arg-type]


# --- start ---------------------------------------------------------------------------------------


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


def test_another_exit_code_at_the_start_is_a_failure_like_others() -> None:
    one = robot()
    one.crew.stillborn = {'camera': 1}
    one.keeper.begin()
    one.until(lambda: len(one.starts('camera')) == 3)
    one.crew.stillborn = {}
    one.until(one.well)


# --- failures ------------------------------------------------------------------------------------


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


def test_a_transition_that_fails_is_tried_again_in_place_after_the_wait() -> None:
    one = robot()
    one.crew.refusals = {('camera', 'active'): 'configure: no camera 7'}
    one.keeper.begin()
    one.until(lambda: one.report()['restarts'].get('camera') == 3)
    assert one.report()['message'] == 'camera is unconfigured: configure: no camera 7'
    assert one.said('camera failed: configure: no camera 7', 'WARN')
    one.crew.refusals = {}
    one.until(one.well)
    tries_s = [at_s for at_s, node, _ in one.crew.asked if node == 'camera']
    assert [round(b - a, 2) for a, b in itertools.pairwise(tries_s)] == [0.0, 0.25, 0.5]
    assert len(one.starts('camera')) == 1, 'its process need not end for that'


# --- too many failures ---------------------------------------------------------------------------


def fail_for_good(one: Robot, node: str) -> None:
    one.crew.refusals = {(node, 'active'): 'configure: no device'}
    one.die(node)


def test_after_too_many_a_node_is_given_up_and_the_others_go_on() -> None:
    one = robot().up()
    fail_for_good(one, 'camera')
    one.until(lambda: one.report()['given_up'] == ['camera'])
    assert one.report()['level'] == 1 and one.report()['mode'] == 'active'
    assert one.report()['message'] == 'camera is unconfigured: configure: no device'
    asked = len(one.crew.asked)
    one.pass_s(20.0)
    assert len(one.crew.asked) == asked, 'it is left alone'
    assert one.said('failure 4 of camera within 60 s, 3 allowed', 'ERROR')
    assert one.report()['states'] == {**ACTIVE, 'camera': 'unconfigured'}


def test_a_start_ends_without_those_that_were_given_up() -> None:
    one = robot()
    one.crew.refusals = {('camera', 'active'): 'no device'}
    one.keeper.begin()
    one.until(lambda: one.said('up without camera', 'INFO'))
    assert one.report()['mode'] == 'active' and one.report()['states']['host'] == 'active'


def test_after_too_many_the_robot_goes_to_its_safe_state() -> None:
    one = robot('safe').up()
    fail_for_good(one, 'camera')
    one.until(lambda: one.report()['mode'] == 'safe' and one.state('host') == 'inactive')
    one.pass_s(2.0)
    assert one.report()['states'] == {'safety': 'active', 'memory': 'inactive', 'camera': 'unconfigured',
                                      'host': 'inactive'}
    assert one.report()['level'] == 2 and 'failure 4 of camera' in one.report()['message']
    one.crew.refusals = {}
    assert one.order('active') == '' and one.well()


def test_after_too_many_the_robot_is_ended() -> None:
    one = robot('shutdown').up()
    fail_for_good(one, 'camera')
    with pytest.raises(AssertionError):
        one.until(lambda: False)
    assert one.keeper.exit_code == GIVEN_UP
    one.keeper.end()
    assert one.crew.everybody() == []


def test_a_crash_at_every_start_is_given_up_too() -> None:
    one = robot().up()
    one.crew.stillborn = {'camera': -11}
    one.die('camera')
    one.until(lambda: one.report()['given_up'] == ['camera'])
    starts = len(one.starts('camera'))
    one.pass_s(30.0)
    assert len(one.starts('camera')) == starts == 4
    one.crew.stillborn = {}
    assert one.order('active') == '' and one.well(), 'an order is one more chance'


def test_who_was_given_up_comes_back_though_its_process_was_replaced_meanwhile() -> None:
    one = robot(processes={'supervisor': ('supervisor',), 'all': NODES[1:]}).up()
    one.crew.refusals = {('camera', 'active'): 'no device'}
    one.die('camera')
    one.until(lambda: one.report()['given_up'] == ['camera'])
    one.die('camera')
    one.until(lambda: one.state('host') == 'active' and one.state('camera') == 'unconfigured')
    one.life('camera').faults = {'camera': 'of one that was given up'}
    one.pass_s(2.0)
    assert one.state('host') == 'active'
    one.life('camera').faults = {}
    one.crew.refusals = {}
    assert one.order('active') == '' and one.well()


def test_a_fallback_takes_the_place_and_leaves_it_again() -> None:
    section = SECTION.replace('{on_failure: ON_FAILURE}', '{fallback: painted, on_failure: degrade}')
    one = Robot(section, NODES, others=('painted',)).up()
    fail_for_good(one, 'camera')
    one.until(lambda: one.report()['states'].get('painted') == 'active')
    assert one.report()['given_up'] == ['camera'] and one.report()['level'] == 1
    one.die('painted')
    one.until(lambda: len(one.starts('painted')) == 2 and one.state('painted') == 'active')
    one.crew.refusals = {}
    one.order('active')
    one.until(lambda: one.state('camera') == 'active' and one.life('painted').ended)
    one.pass_s(5.0)
    assert len(one.starts('painted')) == 2, 'one of them runs'


def test_a_fallback_with_a_wrong_setting_does_not_end_the_robot() -> None:
    section = SECTION.replace('{on_failure: ON_FAILURE}', '{fallback: painted, on_failure: degrade}')
    one = Robot(section, NODES, others=('painted',)).up()
    one.crew.stillborn = {'painted': BAD_CONFIG}
    fail_for_good(one, 'camera')
    one.until(lambda: set(one.report()['given_up']) == {'camera', 'painted'})
    one.pass_s(10.0)
    assert one.state('host') == 'active' and one.report()['level'] == 1


# --- processes that do not run as they should ----------------------------------------------------


def test_a_process_that_a_signal_stopped_is_noticed_in_the_middle_of_a_transition(
        monkeypatch: pytest.MonkeyPatch) -> None:
    one = robot().up()
    frozen: set[int] = set()
    monkeypatch.setattr(keeper_module, 'stopped', frozen.__contains__)
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
    assert one.said('camera was stopped by a signal for 1 s')


def test_a_process_that_goes_on_in_time_is_not_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    one = robot().up()
    frozen: set[int] = set()
    monkeypatch.setattr(keeper_module, 'stopped', frozen.__contains__)
    for _ in range(5):
        frozen.add(one.life('camera').child.pid)
        one.pass_s(0.6)
        frozen.clear()
        one.pass_s(0.6)
    assert len(one.starts('camera')) == 1


def test_too_many_children_are_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    one = robot().up()
    children = {one.life('camera').child.pid: 64}
    monkeypatch.setattr(keeper_module, 'descendants', lambda pid: children.get(pid, 0))
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


# --- groups --------------------------------------------------------------------------------------


@pytest.mark.parametrize(('strategy', 'again'), [
    ('one_for_one', []), ('rest_for_one', ['host']), ('one_for_all', ['memory', 'host'])])
def test_others_go_down_and_up_with_one_that_failed(strategy: str, again: list[str]) -> None:
    section = SECTION + f'tree: {{groups: {{mind: {{strategy: {strategy}, nodes: [safety, memory, host]}}}}}}\n'
    one = Robot(section.replace('ON_FAILURE', 'degrade'), NODES).up()
    before = len(one.crew.asked)
    one.die('safety')
    one.recover()
    assert [node for _, node, state in one.crew.asked[before:] if state == 'unconfigured'] == again
    assert sum(len(one.starts(node)) for node in NODES) == len(NODES) + 1, 'only the dead got a new process'


# --- orders --------------------------------------------------------------------------------------


@pytest.mark.parametrize(('order', 'state', 'safety'), [
    ('paused', 'inactive', 'inactive'), ('stopped', 'unconfigured', 'unconfigured'), ('safe', 'inactive', 'active'),
    ('reset', 'unconfigured', 'unconfigured')])
def test_orders_are_answered_when_they_are_carried_out(order: str, state: str, safety: str) -> None:
    one = robot().up()
    one.crew.slow_s = {'camera': 2.0}
    begin_s = one.crew.now_s
    assert one.order(order) == ''
    assert one.crew.now_s - begin_s == pytest.approx(2.0, abs=0.1)
    assert one.report()['states'] == {**dict.fromkeys(ACTIVE, state), 'safety': safety}
    assert one.report()['mode'] == ('stopped' if order == 'reset' else order)
    assert one.report()['level'] == (2 if order == 'safe' else 1)
    one.crew.slow_s = {}
    assert one.order('active') == '' and one.well()


def test_an_order_that_can_not_be_carried_out_names_the_nodes_in_time() -> None:
    one = robot().up()
    assert one.order('paused') == ''
    one.crew.refusals = {('host', 'active'): 'activate: no memory'}
    begin_s = one.crew.now_s
    assert one.order('active') == 'host is unconfigured: activate: no memory'
    assert one.crew.now_s - begin_s <= START_S + 0.1
    one.crew.refusals = {}
    one.until(one.well)


def test_an_order_waits_for_a_node_that_is_being_started_again() -> None:
    one = robot().up()
    one.die('memory')
    assert one.order('active') == '' and one.state('memory') == 'active'


def test_reset_forgives_and_active_tries_again() -> None:
    one = robot().up()
    fail_for_good(one, 'camera')
    one.until(lambda: one.report()['given_up'] == ['camera'])
    assert one.order('paused') == 'camera is unconfigured: configure: no device'
    assert one.order('reset') == '' and one.report()['given_up'] == [] and one.report()['restarts'] == {}
    assert one.order('active') != '' and one.report()['given_up'] == ['camera'], 'it failed as often again'
    one.crew.refusals = {}
    assert one.order('reset') == '' and one.order('active') == '' and one.well()


def test_a_node_taken_down_by_another_hand_is_seen_and_left_alone() -> None:
    one = robot().up()
    one.life('camera').states['camera'] = 'inactive'
    one.life('camera').say(states={'camera': 'inactive'})
    one.until(lambda: one.report()['level'] == 1)
    one.pass_s(3.0)
    assert one.report()['message'] == 'camera is inactive' and one.report()['restarts'] == {}
    assert one.order('active') == '' and one.well()


# --- reports and the end -------------------------------------------------------------------------


def test_the_supervisor_hears_of_changes_at_once_and_else_each_second() -> None:
    one = robot().up()
    one.pass_s(5.0)
    reports = one.life('supervisor').reports
    count = len(reports)
    one.pass_s(10.0)
    assert 9 <= len(reports) - count <= 11
    one.die('camera')
    begin_s = one.crew.now_s
    one.until(lambda: reports[-1]['states']['camera'] == 'unknown', 0.3)
    one.until(lambda: reports[-1]['level'] == 0, 1.0)
    assert one.crew.now_s - begin_s < 0.5


def test_a_supervisor_that_died_is_told_how_things_are_and_nobody_else_notices() -> None:
    one = robot().up()
    one.pass_s(1.0)
    one.die('supervisor')
    one.until(lambda: len(one.starts('supervisor')) == 2 and one.life('supervisor').reports)
    assert one.life('supervisor').reports[-1] == one.report()
    assert one.report()['states'] == ACTIVE
    assert all(len(one.starts(node)) == 1 for node in ACTIVE)
    assert one.order('paused') == ''


def test_who_ordered_and_died_is_not_answered() -> None:
    one = robot().up()
    one.crew.slow_s = {'camera': 2.0}
    one.life('supervisor').say(order='paused', id=1)
    one.die('supervisor')
    one.until(lambda: set(one.report()['states'].values()) == {'inactive'})
    one.until(lambda: one.life('supervisor').states['supervisor'] == 'active')
    assert one.life('supervisor').answers == {}


@pytest.mark.parametrize(('stubborn', 'takes_s'), [(False, KILL_S), (True, END_S + KILL_S)])
def test_all_are_asked_to_end_and_then_killed(stubborn: bool, takes_s: float) -> None:
    one = robot().up()
    one.crew.stubborn = stubborn
    begin_s = one.crew.now_s
    one.keeper.end()
    assert one.crew.everybody() == [] and one.crew.now_s - begin_s == pytest.approx(takes_s)


def test_it_runs_until_it_is_told_to_end() -> None:
    one = robot()
    turns = itertools.count()
    assert one.keeper.run(lambda: next(turns) == 100) == 0
    assert one.crew.everybody() == [] and one.said('all 5 nodes are active')
