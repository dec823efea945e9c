"""No sequence of failures makes a storm of restarts, and what fails for ever comes to an end."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.supervise.policy import Decision, Policy
from loom.supervise.settings import load
from loom.supervise.tree import Limit, Tree

PLAN = yaml.safe_load((Path(__file__).parents[2] / 'config' / 'processes.yaml').read_text())
CASES = settings(max_examples=150, deadline=None, derandomize=True)
NODES = ('a', 'b', 'c', 'd', 'e', 'f')
FALLBACKS = {'b': 'b2', 'e': 'e2'}
KNOWN = (*NODES, *FALLBACKS.values())
RULES = st.sampled_from(['escalate', 'degrade', 'safe', 'shutdown'])
STRATEGIES = st.sampled_from(['one_for_one', 'rest_for_one', 'one_for_all'])
# Steps of a quarter of a second are exact in floats, so that what is within a window is not a matter of rounding.
STEPS_S = st.sampled_from([0.0, 0.25, 0.5, 1.0, 4.0, 16.0])
FAILURES = st.lists(st.tuples(STEPS_S, st.sets(st.sampled_from(KNOWN), min_size=1)), max_size=150)
ROBOT = """
tree:
  restarts: 10
  groups:
    base: {strategy: rest_for_one, nodes: [a, b], restarts: 3, window_s: 300}
    mind: {strategy: one_for_one, nodes: [c, d, e]}
nodes:
  e: {needs: [c, d], standby: warm}
  f: {on_failure: degrade}
  b: {restarts: 10, needs: [a]}
"""


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Any tree over NODES: two groups, one of them inside the other or not, and any settings of the nodes."""
    def group(nodes: list[str], **inner: Any) -> dict[str, Any]:
        return {'strategy': draw(STRATEGIES), 'nodes': nodes, 'groups': inner, 'restarts': draw(st.integers(0, 3)),
                'window_s': draw(st.sampled_from([8.0, 32.0])), 'on_failure': draw(RULES)}
    homes = [draw(st.integers(0, 2)) for _ in NODES]
    members = [[node for node, home in zip(NODES, homes) if home == number] for number in range(3)]
    inner = group(members[2])
    nested = draw(st.booleans())
    groups = {'outer': group(members[1], **({'inner': inner} if nested else {}))} | ({} if nested else {'inner': inner})
    root = group(members[0], **groups) | {'on_failure': draw(st.sampled_from(['safe', 'shutdown']))}
    nodes = {node: {'needs': sorted(draw(st.sets(st.sampled_from(NODES[:index])))) if index else [],
                    'restarts': draw(st.integers(0, 3)), 'window_s': draw(st.sampled_from([1.0, 8.0])),
                    'on_failure': draw(RULES)} for index, node in enumerate(NODES)}
    for node, fallback in FALLBACKS.items():
        nodes[node]['fallback'] = fallback
        nodes[fallback] = {'restarts': draw(st.integers(0, 2)), 'window_s': 4.0}
    return Tree(load({'tree': root, 'nodes': nodes, 'backoff_max_s': 0.25}, KNOWN), NODES)


def most(limit: Limit, window_s: float) -> int:
    """How often that may be started again within a window where nothing is forgiven."""
    return limit.restarts * math.ceil(window_s / limit.window_s)


def bound(tree: Tree, node: str, window_s: float) -> int:
    """How often a node may be started again within a window: by its groups, and by each node that takes it along."""
    total = sum(most(group.limit, window_s) for group in tree.path(node))
    for other in NODES:
        if node in tree.affected(other):
            forgiven = 1 + sum(most(group.limit, window_s) for group in tree.path(other))
            names = [other, *([FALLBACKS[other]] if FALLBACKS.get(other) else [])]
            total += forgiven * sum(most(tree.limit(name), window_s) for name in names) + len(names) - 1
    return total


@CASES
@given(trees(), FAILURES)
def test_restarts_within_any_window_are_bounded_by_the_tree(tree: Tree, failures: list[tuple[float, set[str]]]) -> None:
    policy, now_s = Policy(tree), 1000.0
    restarts: dict[str, list[float]] = defaultdict(list)
    for step_s, nodes in failures:
        now_s += step_s
        for node in policy.failed(nodes, 'died', now_s).restart:
            restarts[tree.place(node)].append(now_s)
    for node, times in restarts.items():
        for window_s in (1.0, 8.0, 32.0, 100.0):
            busiest = max(sum(begin <= at_s <= begin + window_s for at_s in times) for begin in times)
            assert busiest <= bound(tree, node, window_s)


@CASES
@given(trees(), FAILURES, st.sets(st.integers(0, 149)), st.sampled_from(KNOWN))
def test_each_decision_is_whole(tree: Tree, failures: list[tuple[float, set[str]]], resets: set[int],
                                reset: str) -> None:
    policy, now_s = Policy(tree), 1000.0
    rank = {node: tree.order().index(tree.place(node)) for node in KNOWN}
    down: set[str] = set()
    for number, (step_s, nodes) in enumerate(failures):
        now_s += step_s
        stood_in = {*policy.health(now_s).standing_in.values(), *NODES}
        decision = policy.failed(nodes, 'died', now_s)
        assert 0.0 <= decision.delay_s <= tree.settings.backoff_max_s
        assert list(decision.restart) == sorted(set(decision.restart), key=lambda node: rank[node])
        assert not down.intersection(decision.restart)
        assert decision.end in ('', 'safe', 'shutdown')
        assert decision.because
        for node in nodes & stood_in:
            assert (node in decision.restart) != (node in decision.give_up)
        assert not set(decision.start) & {*decision.restart, *decision.give_up}
        assert all(policy.health(now_s).standing_in[tree.place(node)] == node for node in decision.start)
        down = set(policy.health(now_s).given_up)
        assert down.issuperset(set(decision.give_up) & set(NODES))
        if number in resets:
            policy.forget(reset)
            down -= {tree.place(reset), FALLBACKS.get(tree.place(reset), '')}
            assert set(policy.health(now_s).given_up) == down


def broken_for_ever(tree: Tree, node: str) -> tuple[list[float], Decision]:
    """The restarts of a node that fails as soon as it has been started, and the decision that ended it."""
    policy, now_s = Policy(tree), 0.0
    times: list[float] = []
    while len(times) < 2000:
        decision = policy.failed([node], 'died', now_s)
        node = decision.start[0] if decision.start else node
        if node not in decision.restart and not decision.start:
            return times, decision
        now_s += decision.delay_s
        times.append(now_s)
    raise AssertionError(f'{node} is started again for ever')


@CASES
@given(trees(), st.sampled_from(NODES))
def test_what_fails_for_ever_is_given_up(tree: Tree, node: str) -> None:
    times, decision = broken_for_ever(tree, node)
    assert decision.give_up
    assert len(times) <= bound(tree, node, 1.0) + 1


def is_no_storm(tree: Tree, node: str) -> Decision:
    """The end of a node that fails for ever, which comes soon and with less than a restart in two seconds."""
    times, decision = broken_for_ever(tree, node)
    assert max(sum(begin <= at_s < begin + 60.0 for at_s in times) for begin in times) < 36
    assert times[-1] < 900.0
    return decision


@pytest.mark.parametrize(('node', 'end'), [('a', 'safe'), ('b', 'safe'), ('c', 'safe'), ('e', 'safe'), ('f', '')])
def test_a_broken_node_of_a_robot_comes_to_its_end(node: str, end: str) -> None:
    assert is_no_storm(Tree(load(yaml.safe_load(ROBOT), NODES), NODES), node).end == end


@pytest.mark.parametrize('node', PLAN['order'])
def test_the_shipped_table_lets_no_node_fail_for_ever(node: str) -> None:
    tree = Tree(load(PLAN['supervision'], PLAN['order']), PLAN['order'])
    assert is_no_storm(tree, node).end == ('' if tree.settings.of(node).on_failure == 'degrade' else 'safe')
