"""The keeper: orders are carried out and answered, the supervisor is told how things are, and all end."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parent))
from robot_in_memory import ACTIVE, END_S, KILL_S, START_S, fail_for_good, robot

# --- orders ---------------------------------------------------------------------------------------


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


# --- reports and the end --------------------------------------------------------------------------


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
