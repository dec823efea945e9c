"""The roster: up after what a node needs, down before it, and at rest in the end whatever happens in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import pytest
import yaml
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from loom.supervise.roster import ACTIVE, INACTIVE, RANK, SUPERVISOR, TARGETS, UNCONFIGURED, UNKNOWN, Roster
from loom.supervise.settings import load
from loom.supervise.tree import Tree

# host needs broker and safety, broker needs memory; nobody needs display.
NODES = (SUPERVISOR, 'memory', 'safety', 'broker', 'host', 'display')
OTHERS = NODES[1:]
SECTION = """
safe_state: [safety]
nodes:
  broker: {needs: [memory]}
  host: {needs: [broker, safety]}
"""


def tree() -> Tree:
    return Tree(load(yaml.safe_load(SECTION), NODES), NODES)


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
                self.roster.seen(node, state)
        raise AssertionError(f'the nodes are moved for ever: {self.history[-20:]}')

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
        nodes.roster.seen(node, first[node])
    assert nodes.roster.steps(0.0) == {'broker': ACTIVE}
    assert not nodes.roster.settled()
    nodes.roster.seen('broker', ACTIVE)
    assert nodes.roster.steps(0.0) == {'host': ACTIVE}
    nodes.roster.seen('host', ACTIVE)
    assert nodes.roster.steps(0.0) == {} and nodes.roster.settled()


def test_they_go_down_in_reverse(nodes: Obedient) -> None:
    nodes.settle()
    nodes.roster.mode = 'stopped'
    first = nodes.roster.steps(0.0)
    assert first == {'host': UNCONFIGURED, 'display': UNCONFIGURED}, 'the supervisor stays'
    for node in first:
        nodes.roster.seen(node, UNCONFIGURED)
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


def test_who_was_overtaken_by_another_hand_is_asked_again(nodes: Obedient) -> None:
    assert nodes.roster.steps(0.0)['host'] == INACTIVE
    nodes.roster.seen('host', ACTIVE)
    nodes.settle()
    nodes.roster.mode = 'paused'
    assert nodes.roster.steps(0.0)['host'] == INACTIVE


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
    nodes.roster.seen('host', ACTIVE)
    nodes.roster.seen('host', INACTIVE)
    assert not nodes.roster.entries['host'].parked
    nodes.roster.again(['display'], 5.0)
    nodes.roster.seen('display', INACTIVE)
    assert not nodes.roster.entries['display'].parked


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
    assert roster.steps(0.0) == {'broker': ACTIVE}


class Storm(RuleBasedStateMachine):
    """Everything at any time, with orders and answers that are late; the nodes obey."""

    def __init__(self) -> None:
        super().__init__()
        self.tree = tree()
        self.roster = Roster(self.tree, 'active')
        self.now_s = 0.0
        self.states: dict[str, str] = {}
        self.asked: dict[str, deque[str]] = {}
        self.told: dict[str, deque[str]] = {}
        for node in NODES:
            self.born(node)

    def born(self, node: str) -> None:
        self.states[node] = UNCONFIGURED
        self.asked[node] = deque()
        self.told[node] = deque([UNCONFIGURED])

    @rule(mode=st.sampled_from(sorted(TARGETS)))
    def change_mode(self, mode: str) -> None:
        self.roster.mode = mode

    @rule(node=st.sampled_from(NODES))
    def die(self, node: str) -> None:
        if self.states.pop(node, None):
            self.roster.lost([node], 'died')
            self.told[node].clear()

    @rule(node=st.sampled_from(NODES))
    def come_back(self, node: str) -> None:
        if node not in self.states:
            self.born(node)

    @rule(failed=st.sets(st.sampled_from(OTHERS), min_size=1), delay_s=st.sampled_from([0.0, 0.5]))
    def fail(self, failed: set[str], delay_s: float) -> None:
        self.roster.again([node for node in failed if node in self.states], self.now_s + delay_s)

    @rule(node=st.sampled_from(OTHERS))
    def give_up(self, node: str) -> None:
        self.roster.give_up([node])

    @rule()
    def forgive(self) -> None:
        self.roster.forgive()

    @rule(node=st.sampled_from(NODES))
    def obey(self, node: str) -> None:
        if node in self.states and self.asked[node]:
            self.states[node] = self.asked[node].popleft()
            self.told[node].append(self.states[node])

    @rule(node=st.sampled_from(OTHERS), too_often=st.booleans(), delay_s=st.sampled_from([0.0, 0.5]))
    def refuse(self, node: str, too_often: bool, delay_s: float) -> None:
        if node in self.states and self.asked[node]:
            self.asked[node].popleft()
            self.hear(node, len(self.told[node]))
            if too_often:
                self.roster.give_up([node])
            else:
                self.roster.again([node], self.now_s + delay_s)
            self.told[node].append(self.states[node])

    @rule(node=st.sampled_from(NODES), count=st.integers(1, 3))
    def hear(self, node: str, count: int) -> None:
        for _ in range(min(count, len(self.told[node]))):
            self.roster.seen(node, self.told[node].popleft())

    @rule(node=st.sampled_from(NODES))
    def repeat(self, node: str) -> None:
        if node in self.states:
            self.told[node].append(self.states[node])

    @rule(by_s=st.sampled_from([0.0, 0.3]))
    def look(self, by_s: float) -> None:
        self.now_s += by_s
        entries = self.roster.entries
        for node, step in self.roster.steps(self.now_s).items():
            entry = entries[node]
            assert node in self.states, f'{node} is dead and was asked'
            if step == ACTIVE:
                missing = [n for n in self.tree.needs(node) if entries[n].state != ACTIVE and not entries[n].given_up]
                assert not missing, f'{node} was asked to be active without {missing}'
            elif entry.state == ACTIVE and not (entry.again or entry.given_up):
                left = [n for n in self.tree.dependants(node) if entries[n].state == ACTIVE]
                assert not left, f'{node} was asked to leave {left}'
            self.asked[node].append(step)
        assert self.roster.next_hold_s() > self.now_s, 'the keeper would run in circles'

    @invariant()
    def nobody_is_parked_by_what_was_asked(self) -> None:
        assert not [node for node, entry in self.roster.entries.items() if entry.parked]

    def teardown(self) -> None:
        for node in NODES:
            self.come_back(node)
        for _ in range(60):
            self.look(0.3)
            for node in NODES:
                while self.asked[node]:
                    self.obey(node)
                self.hear(node, len(self.told[node]))
        assert self.roster.settled(), self.roster.entries
        assert self.states == {node: self.roster.target(node) for node in NODES}
        assert self.roster.steps(self.now_s) == {}


Storm.TestCase.settings = settings(max_examples=150, stateful_step_count=50, deadline=None, database=None,
                                   suppress_health_check=[HealthCheck.too_slow])
test_whatever_happens_ends_at_rest_and_in_order = Storm.TestCase
