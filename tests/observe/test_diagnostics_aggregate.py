"""The tree of diagnostics: grouping, stale nodes, namespaces, bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.core.clock import ManualClock
from loom.observe.diagnostics_aggregate import (
    ERROR,
    GROUPS,
    OK,
    STALE,
    WARN,
    DiagnosticsAggregate,
    Status,
    combined,
    split,
)


def levels(aggregate: DiagnosticsAggregate, now_ns: int) -> dict[str, int]:
    return {status.name: status.level for status in aggregate.tree(now_ns)}


def test_statuses_become_a_tree_with_the_worst_level_on_top() -> None:
    aggregate = DiagnosticsAggregate()
    aggregate.add(Status(OK, 'camera: rate', 'fine', 'loom', (('hz', '15.0'),)), 0)
    aggregate.add(Status(WARN, 'agent_host: navigator', 'lost'), 0)
    tree = {status.name: status for status in aggregate.tree(0)}
    assert list(tree) == ['/Loom', '/Loom/Agents', '/Loom/Agents/agent_host', '/Loom/Agents/agent_host/navigator',
                          '/Loom/Senses', '/Loom/Senses/camera', '/Loom/Senses/camera/rate']
    assert tree['/Loom/Senses/camera/rate'] == Status(OK, '/Loom/Senses/camera/rate', 'fine', 'loom', (('hz', '15.0'),))
    assert tree['/Loom'].level == WARN
    assert tree['/Loom'].message == 'Warning: Agents'
    assert tree['/Loom'].values == (('Agents', 'Warning'), ('Senses', 'OK'))


def test_nodes_of_no_group_are_shown_as_others() -> None:
    aggregate = DiagnosticsAggregate()
    aggregate.add(Status(OK, 'battery driver'), 0)
    assert '/Loom/Other/battery driver/status' in levels(aggregate, 0)


def test_a_silent_node_is_stale_and_comes_back() -> None:
    clock, aggregate = ManualClock(), DiagnosticsAggregate()
    aggregate.add(Status(OK, 'camera: rate'), clock.now_ns())
    clock.advance(3.0)
    assert levels(aggregate, clock.now_ns())['/Loom/Senses/camera/rate'] == OK
    clock.advance(0.1)
    tree = {status.name: status for status in aggregate.tree(clock.now_ns())}
    assert tree['/Loom/Senses/camera/rate'].level == tree['/Loom'].level == STALE
    assert tree['/Loom/Senses/camera/rate'].message == 'nothing heard for more than 3 s'
    aggregate.add(Status(OK, 'camera: rate'), clock.now_ns())
    assert levels(aggregate, clock.now_ns())['/Loom'] == OK


def test_a_stale_node_among_others_is_an_error_of_the_whole() -> None:
    clock, aggregate = ManualClock(), DiagnosticsAggregate()
    aggregate.add(Status(OK, 'camera: rate'), 0)
    clock.advance(4)
    aggregate.add(Status(OK, 'safety: state'), clock.now_ns())
    found = levels(aggregate, clock.now_ns())
    assert found['/Loom/Senses'] == STALE
    assert found['/Loom'] == ERROR


def test_a_part_that_a_living_node_ended_is_forgotten() -> None:
    clock, aggregate = ManualClock(), DiagnosticsAggregate()
    aggregate.add(Status(ERROR, 'camera: rate'), 0)
    clock.advance(4)
    aggregate.add(Status(OK, 'camera: lifecycle'), clock.now_ns())
    found = levels(aggregate, clock.now_ns())
    assert '/Loom/Senses/camera/rate' not in found
    assert found['/Loom'] == OK
    assert len(aggregate) == 1


@pytest.mark.parametrize(
    ('name', 'namespace', 'owner'),
    [
        ('camera: rate', '', ('camera', 'rate')),
        ('camera: rate', '/', ('camera', 'rate')),
        ('/camera: rate', '/', ('camera', 'rate')),
        ('r1/camera: rate', '/r1', ('camera', 'rate')),
        ('r1/camera: rate', '/', None),
        ('r1/camera: rate', '/r2', None),
        ('r1/camera: rate', '/r', None),
        ('a/r1/camera: a/b', '/a/r1', ('camera', 'a_b')),
        ('camera: rate', '/r1', None),
        ('camera', '', ('camera', 'status')),
        ('', '', None),
        (': rate', '', None),
    ],
)
def test_names_are_split_and_other_namespaces_refused(
    name: str, namespace: str, owner: tuple[str, str] | None
) -> None:
    assert split(name, namespace) == owner


def test_entries_are_bounded_and_the_refused_are_counted() -> None:
    aggregate = DiagnosticsAggregate(max_entries=10)
    for number in range(25):
        aggregate.add(Status(OK, f'node_{number}: part'), 0)
    assert len(aggregate) == 10
    assert aggregate.dropped == 15
    assert aggregate.add(Status(WARN, 'node_3: part'), 0)


def test_long_texts_and_odd_levels_are_cut() -> None:
    aggregate = DiagnosticsAggregate()
    many = tuple((str(number), 'x') for number in range(200))
    aggregate.add(Status(77, 'n' * 500 + ': ' + 'p' * 500, 'm' * 5000, '', many), 0)
    leaf = aggregate.tree(0)[-1]
    assert leaf.level == STALE
    assert (len(leaf.name), len(leaf.message), len(leaf.values)) == (len('/Loom/Other//') + 256, 512, 64)


def test_a_node_belongs_to_one_group() -> None:
    nodes = [node for members in GROUPS.values() for node in members]
    assert len(nodes) == len(set(nodes))


def test_nothing_known_is_one_status() -> None:
    assert DiagnosticsAggregate().tree(0) == [Status(OK, '/Loom', 'OK', 'loom')]


@given(st.lists(st.sampled_from((OK, WARN, ERROR, STALE)), max_size=8))
def test_a_group_is_stale_only_where_all_are(found: list[int]) -> None:
    level = combined(found)
    assert (level == STALE) == (bool(found) and set(found) == {STALE})
    assert level >= max((each for each in found if each != STALE), default=OK)


@given(st.lists(st.tuples(st.text(max_size=20), st.integers(-5, 300)), max_size=30))
def test_any_input_gives_a_tree_whose_parents_come_first(statuses: list[tuple[str, int]]) -> None:
    aggregate = DiagnosticsAggregate(max_entries=20)
    for name, level in statuses:
        aggregate.add(Status(level, name), 0)
    names = [status.name for status in aggregate.tree(10**10)]
    assert len(names) == len(set(names))
    assert all(name.rsplit('/', 1)[0] in names[:index] for index, name in enumerate(names) if index)
