"""The keeper: what follows when something fails too often, and who goes down with whom."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent))
from robot_in_memory import ACTIVE, NODES, SECTION, Robot, fail_for_good, robot

from loom.supervise.keeper import BAD_CONFIG, GIVEN_UP

# --- too many failures ----------------------------------------------------------------------------


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
    assert one.order('active') == '' and one.well() and one.report()['message'] == ''


def test_after_too_many_the_whole_robot_goes_down_and_up_but_not_who_tells_of_it() -> None:
    one = robot('escalate').up()
    fail_for_good(one, 'camera')
    one.until(lambda: one.said('supervisor, safety, memory, camera, host will be started again in 8.00 s'))
    one.until(lambda: set(one.report()['states'].values()) == {'unconfigured'})
    assert one.life('supervisor').states['supervisor'] == 'active' and one.report()['mode'] == 'active'
    one.crew.refusals = {}
    begin_s = one.crew.now_s
    one.until(one.well)
    assert one.crew.now_s - begin_s == pytest.approx(8.0, abs=0.1) and one.report()['restarts'] == {}


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
    one.until(lambda: len(one.starts('camera')) == 3)
    one.until(lambda: one.state('host') == 'active' and one.state('camera') == 'unconfigured')
    one.life('camera').faults = {'camera': 'of one that was given up'}
    processes = len(one.crew.lives)
    one.pass_s(2.0)
    assert len(one.crew.lives) == processes and one.state('host') == 'active'
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


# --- groups ---------------------------------------------------------------------------------------


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


def test_a_wait_is_not_cut_short_by_the_failure_of_another() -> None:
    section = SECTION + 'tree: {groups: {mind: {strategy: one_for_all, nodes: [safety, memory, host]}}}\n'
    one = Robot(section.replace('ON_FAILURE', 'degrade'), NODES).up()
    for _ in range(2):
        one.die('memory')
        one.recover()
    one.die('memory')
    died_s = one.crew.now_s
    one.pass_s(0.1)
    one.die('safety')
    one.until(lambda: len(one.starts('safety')) == 2)
    one.until(one.well)
    assert one.starts('memory')[-1] == pytest.approx(died_s + 0.5)
