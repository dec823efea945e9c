"""The roster: up after what a node needs, down before it, and at rest in the end whatever happens in between."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from loom.supervise.roster import ACTIVE, INACTIVE, SUPERVISOR, TARGETS, UNCONFIGURED, UNKNOWN, Roster
from loom.supervise.settings import load
from loom.supervise.tree import Tree

sys.path.append(str(Path(__file__).resolve().parent))
from small_tree import NODES, OTHERS, SECTION, tree


class Obedient:
    """Nodes that take every step they are asked for, at once; the steps are written down in order."""

    def __init__(self, mode: str = 'active') -> None:
        self.roster = Roster(tree(), mode)
        self.history: list[tuple[str, str]] = []
        for node in NODES:
            self.roster.seen(node, UNCONFIGURED)

    def settle(self, now_s: float = 0.0) -> list[tuple[str, str]]:
        """Until nobody is asked for anything more; the steps since then."""
        begin = len(self.history)
        for _ in range(20):
            steps = self.roster.steps(now_s)
            if not steps:
                return self.history[begin:]
            for node, state in steps.items():
                self.history.append((node, state))
                self.take(node, state)
        raise AssertionError(f'the nodes are moved for ever: {self.history[-20:]}')

    def take(self, node: str, state: str) -> None:
        self.roster.seen(node, state)
        self.roster.answered(node, state)

    def states(self) -> dict[str, str]:
        return {node: self.roster.entries[node].state for node in OTHERS}


@pytest.fixture
def nodes() -> Obedient:
    return Obedient()


def order(history: Iterable[tuple[str, str]], state: str) -> list[str]:
    return [node for node, taken in history if taken == state]


def test_nodes_come_up_after_those_they_need_and_are_configured_meanwhile(nodes: Obedient) -> None:
    first = nodes.roster.steps(0.0)
    assert first == {SUPERVISOR: ACTIVE, 'memory': ACTIVE, 'safety': ACTIVE, 'broker': INACTIVE, 'host': INACTIVE,
                     'display': ACTIVE}
    for node in NODES:
        nodes.take(node, first[node])
    assert nodes.roster.steps(0.0) == {'broker': ACTIVE}
    assert not nodes.roster.settled()
    nodes.take('broker', ACTIVE)
    assert nodes.roster.steps(0.0) == {'host': ACTIVE}
    nodes.take('host', ACTIVE)
    assert nodes.roster.steps(0.0) == {} and nodes.roster.settled()


def test_they_go_down_in_reverse(nodes: Obedient) -> None:
    nodes.settle()
    nodes.roster.mode = 'stopped'
    first = nodes.roster.steps(0.0)
    assert first == {'host': UNCONFIGURED, 'display': UNCONFIGURED}, 'the supervisor stays'
    for node in first:
        nodes.take(node, UNCONFIGURED)
    assert order(nodes.settle(), UNCONFIGURED) == ['safety', 'broker', 'memory']
    assert nodes.roster.settled() and set(nodes.states().values()) == {UNCONFIGURED}
    assert nodes.roster.entries[SUPERVISOR].state == ACTIVE


@pytest.mark.parametrize('mode', TARGETS)
def test_a_mode_is_where_all_come_to_from_every_other(mode: str) -> None:
    for before in TARGETS:
        nodes = Obedient(before)
        nodes.settle()
        assert nodes.roster.settled()
        nodes.roster.mode = mode
        assert nodes.roster.settled() == (before == mode)
        nodes.settle()
        assert nodes.roster.settled() and nodes.roster.mode == mode
        states = nodes.states()
        safety = states.pop('safety')
        assert set(states.values()) == {TARGETS[mode]}, f'{before} -> {mode}'
        assert safety == (ACTIVE if mode == 'safe' else TARGETS[mode]), 'what keeps the robot safe stays active'


def test_nobody_is_asked_twice(nodes: Obedient) -> None:
    assert nodes.roster.steps(0.0) and nodes.roster.steps(0.1) == {}
    nodes.roster.seen('memory', UNCONFIGURED)
    assert nodes.roster.steps(0.2) == {}, 'it is on its way'
    nodes.roster.answered('memory', ACTIVE)
    assert nodes.roster.steps(0.3) == {'memory': ACTIVE}, 'it failed and may try again'


def test_an_answer_that_got_lost_is_made_up_for_by_the_next(nodes: Obedient) -> None:
    assert nodes.roster.steps(0.0)['memory'] == ACTIVE
    nodes.roster.mode = 'paused'
    nodes.roster.seen('memory', ACTIVE)
    assert nodes.roster.steps(0.0)['memory'] == INACTIVE
    nodes.take('memory', INACTIVE)
    assert nodes.roster.entries['memory'].asked == []
    nodes.roster.answered('memory', INACTIVE)
    nodes.roster.mode = 'active'
    assert nodes.roster.steps(0.0)['memory'] == ACTIVE


def test_a_node_taken_down_by_another_hand_stays_there_until_the_mode_changes(nodes: Obedient) -> None:
    nodes.settle()
    nodes.roster.seen('memory', INACTIVE)
    assert nodes.settle() == [] and nodes.roster.entries['memory'].parked
    assert nodes.roster.settled(), 'nobody waits for it'
    nodes.roster.lost(['broker'], 'died')
    nodes.roster.seen('broker', UNCONFIGURED)
    assert nodes.settle() == [('broker', INACTIVE)], 'what needs it waits'
    nodes.roster.mode = 'active'
    assert order(nodes.settle(), ACTIVE) == ['memory', 'broker'] and nodes.roster.settled()


def test_a_parked_node_does_not_keep_others_from_going_down(nodes: Obedient) -> None:
    nodes.settle()
    nodes.roster.seen('host', INACTIVE)
    nodes.roster.seen('host', UNCONFIGURED)
    nodes.roster.mode = 'paused'
    nodes.settle()
    assert nodes.roster.settled() and nodes.states()['host'] == INACTIVE, 'the mode counts again'


def test_steps_that_were_asked_for_park_nobody_even_if_told_late(nodes: Obedient) -> None:
    nodes.settle()
    nodes.roster.mode = 'paused'
    assert nodes.roster.steps(0.0)['host'] == INACTIVE
    nodes.roster.mode = 'active'
    nodes.roster.seen('host', ACTIVE)
    nodes.roster.seen('host', INACTIVE)
    assert not nodes.roster.entries['host'].parked


@pytest.mark.parametrize('begin', ['again', 'stopped'])
def test_who_was_to_go_down_anyway_is_not_parked(nodes: Obedient, begin: str) -> None:
    nodes.settle()
    if begin == 'again':
        nodes.roster.again(['display'], 0.0)
    else:
        nodes.roster.mode = begin
    nodes.roster.seen('display', INACTIVE)
    assert not nodes.roster.entries['display'].parked
    assert nodes.roster.steps(0.0)['display'] == UNCONFIGURED


def test_what_was_on_its_way_up_comes_down_again_without_being_parked(nodes: Obedient) -> None:
    nodes.roster.give_up(['memory'])
    assert nodes.roster.steps(0.0)['broker'] == ACTIVE
    nodes.roster.forgive()
    assert nodes.roster.steps(0.0)['broker'] == INACTIVE, 'what it needs is wanted again, and not there'
    nodes.take('broker', ACTIVE)
    nodes.take('broker', INACTIVE)
    assert not nodes.roster.entries['broker'].parked


def test_who_is_given_up_is_parked_no_longer(nodes: Obedient) -> None:
    nodes.settle()
    nodes.roster.seen('host', INACTIVE)
    assert nodes.roster.entries['host'].parked
    nodes.roster.give_up(['host'])
    assert nodes.settle() == [('host', UNCONFIGURED)]


def test_again_takes_a_node_down_at_once_and_up_after_the_wait(nodes: Obedient) -> None:
    nodes.settle()
    nodes.roster.again(['memory'], 5.0)
    nodes.roster.seen('memory', ACTIVE)
    assert nodes.settle(1.0) == [('memory', UNCONFIGURED)], 'also below nodes that need it'
    assert not nodes.roster.settled() and nodes.roster.next_hold_s() == 5.0
    assert nodes.settle(4.9) == [] and nodes.settle(5.0) == [('memory', ACTIVE)]
    assert nodes.roster.settled() and nodes.roster.next_hold_s() == float('inf')


def test_a_wait_that_is_over_wakes_nobody_any_more(nodes: Obedient) -> None:
    nodes.settle()
    nodes.roster.mode = 'stopped'
    nodes.settle()
    nodes.roster.again(['memory'], 5.0)
    assert nodes.roster.next_hold_s() == 5.0
    nodes.settle(5.0)
    assert nodes.roster.next_hold_s() == float('inf'), 'the keeper would run in circles'


def test_who_is_lost_is_unknown_with_its_reason_and_comes_up_anew(nodes: Obedient) -> None:
    nodes.settle()
    nodes.roster.lost(['broker'], 'was ended by SIGKILL')
    entry = nodes.roster.entries['broker']
    assert (entry.state, entry.reason) == (UNKNOWN, 'was ended by SIGKILL') and not nodes.roster.settled()
    assert nodes.settle() == [], 'the others stay as they are, and the dead are asked nothing'
    nodes.roster.seen('broker', UNCONFIGURED)
    assert nodes.settle() == [('broker', ACTIVE)] and entry.reason == ''


def test_who_is_given_up_stays_down_and_is_not_waited_for(nodes: Obedient) -> None:
    nodes.roster.give_up(['memory'])
    nodes.settle()
    assert nodes.states()['memory'] == UNCONFIGURED and nodes.states()['host'] == ACTIVE and nodes.roster.settled()
    nodes.roster.lost(['memory'], 'died')
    assert nodes.roster.settled(), 'it may be gone altogether'
    nodes.roster.seen('memory', UNCONFIGURED)
    assert nodes.roster.forgive() == ['memory'] and nodes.roster.forgive() == []
    assert not nodes.roster.settled()
    assert nodes.settle() == [('memory', ACTIVE)] and nodes.roster.settled()


@pytest.mark.parametrize('mode', ['active', 'safe'])
def test_who_is_given_up_while_active_goes_down_though_others_need_it(nodes: Obedient, mode: str) -> None:
    nodes.settle()
    nodes.roster.give_up(['broker'])
    nodes.roster.mode = mode
    nodes.settle()
    assert nodes.roster.settled() and nodes.states()['broker'] == UNCONFIGURED
    assert nodes.states()['host'] == (ACTIVE if mode == 'active' else INACTIVE)


def test_one_that_stands_in_is_moved_like_the_others() -> None:
    values = yaml.safe_load(SECTION)
    values['nodes']['memory'] = {'fallback': 'notebook'}
    roster = Roster(Tree(load(values, [*NODES, 'notebook']), NODES), 'active')
    roster.give_up(['memory'])
    roster.stand_in('notebook')
    assert not roster.settled()
    roster.seen('notebook', UNCONFIGURED)
    roster.seen('broker', INACTIVE)
    assert roster.steps(0.0) == {'notebook': ACTIVE}, 'broker waits for it'
    roster.seen('notebook', ACTIVE)
    roster.answered('broker', INACTIVE)
    assert roster.steps(0.0) == {'broker': ACTIVE}
