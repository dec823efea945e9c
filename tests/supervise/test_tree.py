"""The tree of one robot: start order, who needs whom, and who is started again with whom."""

from __future__ import annotations

import pytest
import yaml

from loom.core.errors import ConfigError
from loom.supervise.settings import load
from loom.supervise.tree import Limit, Tree

NODES = ('simulator', 'camera', 'safety', 'memory', 'broker', 'host', 'display')
SECTION = """
restarts: 4
tree:
  groups:
    base: {strategy: STRATEGY, nodes: [safety, simulator], groups: {senses: {nodes: [camera]}}}
    mind: {strategy: one_for_one, nodes: [memory, host, broker], restarts: 2, window_s: 500}
nodes:
  camera: {needs: [simulator], fallback: painted, on_failure: degrade}
  safety: {needs: [simulator], restarts: 7}
  memory: {needs: [host_of_another_robot]}
  broker: {needs: [memory, safety]}
  host: {needs: [broker], standby: warm, window_s: 30}
  painted: {restarts: 1}
"""


def tree(strategy: str = 'one_for_one', nodes: tuple[str, ...] = NODES, section: str = SECTION) -> Tree:
    known = {*NODES, 'painted', 'host_of_another_robot'}
    return Tree(load(yaml.safe_load(section.replace('STRATEGY', strategy)), known), nodes)


def test_the_order_is_the_given_one_where_needs_allow_it() -> None:
    assert tree().order() == NODES
    assert tree(nodes=tuple(reversed(NODES))).order() == (
        'display', 'memory', 'simulator', 'safety', 'broker', 'host', 'camera')


def test_needs_of_nodes_that_are_not_on_this_robot_do_not_count() -> None:
    assert tree().needs('memory') == ()
    assert tree(nodes=('broker', 'safety')).needs('broker') == ('safety',)


def test_dependants_are_found_over_others() -> None:
    assert tree().dependants('simulator') == ('camera', 'safety', 'broker', 'host')
    assert tree().dependants('memory') == ('broker', 'host')
    assert tree().dependants('display') == ()


def test_paths_lead_from_the_innermost_group_to_the_root() -> None:
    assert [group.name for group in tree().path('camera')] == ['root.base.senses', 'root.base', 'root']
    assert [group.name for group in tree().path('display')] == ['root']
    assert tree().path('camera')[1].nodes == ('simulator', 'camera', 'safety')
    assert tree().path('camera')[-1].nodes == NODES


@pytest.mark.parametrize(('strategy', 'node', 'affected'), [
    ('one_for_one', 'simulator', ('simulator',)),
    ('rest_for_one', 'simulator', ('simulator', 'camera', 'safety')),
    ('rest_for_one', 'safety', ('safety',)),
    ('one_for_all', 'safety', ('simulator', 'camera', 'safety')),
    # Its own group's strategy counts, not that of the group around it.
    ('one_for_all', 'camera', ('camera',)), ('one_for_all', 'memory', ('memory',))])
def test_who_is_started_again_with_a_node(strategy: str, node: str, affected: tuple[str, ...]) -> None:
    assert tree(strategy).affected(node) == affected


def test_at_the_root_a_strategy_reaches_into_the_groups() -> None:
    root = tree(section=SECTION.replace('tree:', 'tree:\n  strategy: rest_for_one\n  nodes: [simulator]')
                .replace('[safety, simulator]', '[safety]'))
    assert root.affected('simulator') == ('simulator', 'camera', 'safety', 'broker', 'host')


def test_limits_are_those_of_the_node_or_of_all() -> None:
    assert tree().limit('safety') == Limit(7, 60.0)
    assert tree().limit('host') == Limit(4, 30.0)
    assert [group.limit for group in tree().path('host')] == [Limit(2, 500.0), Limit(3, 600.0)]


def test_a_fallback_has_the_place_of_its_node_and_a_limit_of_its_own() -> None:
    whole = tree('one_for_all')
    assert (whole.place('painted'), whole.place('camera')) == ('camera', 'camera')
    assert (whole.needs('painted'), whole.path('painted')) == (('simulator',), whole.path('camera'))
    assert (whole.affected('painted'), whole.limit('painted').restarts) == (('camera',), 1)
    assert 'painted' not in whole.order()


def test_standby_is_for_nodes_that_ask_for_it() -> None:
    assert [node for node in NODES if tree().standby(node)] == ['host']


def test_a_node_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="no node named 'sefety' on this robot; did you mean 'safety'"):
        tree().affected('sefety')
    with pytest.raises(ConfigError, match="no node named 'painted'"):
        tree(nodes=('simulator',)).path('painted')


def test_a_fallback_that_runs_anyway_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"nodes\.camera\.fallback: must not be a node of this robot, got 'painted'"):
        tree(nodes=(*NODES, 'painted'))


@pytest.mark.parametrize(('change', 'fault'), [
    ('window_s: 1.5', 'simulator: 4 restarts must fit into window_s, got 1.5; .* they take 1.75 s'),
    ('nodes: {safety: {restarts: 30, window_s: 100}}', 'safety: 30 restarts .* they take 199.75 s'),
    ('tree: {restarts: 70}', r'root: 70 restarts must fit into window_s, got 600; .* they take 682.5 s'),
    ('tree: {groups: {g: {nodes: [host], restarts: 2, window_s: 19}}}', r'root\.g: 2 restarts .* they take 19.5 s')])
def test_a_limit_that_is_never_passed_is_refused(change: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        tree(section=f'restarts: 4\n{change}')
