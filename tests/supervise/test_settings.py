"""The section `supervision`: what may stand there, and what is said of everything else."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from loom.core.errors import ConfigError
from loom.supervise.settings import Supervision, in_order, load

KNOWN = ('simulator', 'safety', 'camera', 'memory_server', 'action_broker', 'agent_host', 'synthetic')


def loaded(text: str) -> Supervision:
    return load(yaml.safe_load(text), KNOWN, 'processes.yaml: supervision')


def test_no_section_is_the_defaults() -> None:
    assert load(None, KNOWN) == loaded('{}') == Supervision()
    assert (Supervision().heartbeat_s, Supervision().restarts, Supervision().tree.on_failure) == (1.0, 5, 'safe')


def test_a_whole_section_is_read() -> None:
    settings = loaded("""
        heartbeat_s: 2
        safe_state: [simulator, safety]
        tree:
          on_failure: shutdown
          groups:
            base: {strategy: rest_for_one, nodes: [simulator], groups: {inner: {nodes: [safety]}}, restarts: 2}
        nodes:
          agent_host: {needs: [memory_server, action_broker], standby: warm}
          camera: {on_failure: degrade, fallback: synthetic}
          synthetic: {restarts: 1}
          safety: {needs: [simulator], window_s: 90}
    """)
    assert settings.tree.on_failure == 'shutdown'
    assert settings.tree.groups['base'].groups['inner'].nodes == ['safety']
    assert settings.of('agent_host').needs == ['memory_server', 'action_broker']
    assert settings.of('memory_server').on_failure == 'escalate'


def test_waits_are_doubled_up_to_the_longest() -> None:
    settings = loaded('{backoff_s: 0.1, backoff_step_s: 0.5, backoff_max_s: 3}')
    assert [settings.wait_s(n) for n in (1, 2, 3, 4, 5, 6, 1001)] == [0.1, 0.5, 1.0, 2.0, 3.0, 3.0, 3.0]
    assert loaded('{backoff_s: 5, backoff_max_s: 3}').wait_s(1) == 3.0


@pytest.mark.parametrize(('text', 'fault'), [
    ('tree: {strategy: one_for_al}', "tree.strategy: input should be 'one_for_one', 'rest_for_one' or 'one_for_all', "
                                     "got 'one_for_al'"),
    ('tree: {on_failure: degrade}', "tree.on_failure: input should be 'safe' or 'shutdown', got 'degrade'"),
    ('tree: {groups: {base: {strateggy: x}}}', "tree.groups.base: no setting named 'strateggy'; did you mean 'strat"),
    ('tree: {groups: {base: {nodes: [safty]}}}',
     "tree.groups.base.nodes: no node named 'safty'; did you mean 'safety'"),
    ('nodes: {camra: {}}', "nodes: no node named 'camra'; did you mean 'camera'?"),
    ("nodes: {'': {}}", "nodes: no node named ''"),
    ('nodes: {camera: {needs: [robot]}}', "nodes.camera.needs: no node named 'robot'; there are: "),
    ('nodes: {camera: {fallback: syntetic}}',
     "nodes.camera.fallback: no node named 'syntetic'; did you mean 'synthetic'"),
    ('safe_state: [safety]\nnodes: {safety: {needs: [simulator]}}',
     "safe_state: 'safety' needs 'simulator', which must be in it too"),
    ('safe_state: [safty]', "safe_state: no node named 'safty'; did you mean 'safety'?"),
    ('tree: {nodes: [safety], groups: {a: {groups: {b: {nodes: [safety]}}}}}',
     "tree.groups.a.groups.b.nodes: a node is in one group, and 'safety' is in tree.nodes already"),
    ('tree: {nodes: [safety, safety]}', "tree.nodes: a node is in one group, and 'safety'"),
    ('nodes: {camera: {needs: [safety]}, safety: {needs: [simulator]}, simulator: {needs: [safety]}}',
     'needs: must not lead back to itself, got safety -> simulator -> safety'),
    ('nodes: {camera: {needs: [camera]}}', 'nodes.camera.needs: must not lead back to itself, got camera -> camera'),
    ('nodes: {camera: {fallback: camera}}', "nodes.camera.fallback: must be another node, got 'camera'"),
    ('nodes: {camera: {fallback: synthetic}, safety: {fallback: synthetic}}',
     "nodes.safety.fallback: a node stands in for one other, and 'synthetic' does for 'camera'"),
    ('nodes: {camera: {fallback: synthetic}, synthetic: {on_failure: safe}}',
     "nodes.synthetic.on_failure: it stands in for 'camera' and has what that has; leave it out"),
    ('restarts: -1', 'restarts: input should be greater than or equal to 0, got -1'),
    ('window_s: 0', 'window_s: input should be greater than 0, got 0'),
    ('backoff_max_s: -0.5', 'backoff_max_s: input should be greater than or equal to 0, got -0.5'),
    ('backoff_s: .nan', 'backoff_s: '), ('heartbeat_s: .inf', 'heartbeat_s: '),
    ('restarts: yes', 'restarts: input should be a valid integer, got True'),
    ('restarts: "5"', "restarts: input should be a valid integer, got '5'"),
    ('nodes: {safety: {restarts: -2}}', 'nodes.safety.restarts: '),
    ('nodes: {safety: }', 'nodes.safety: input should be a valid dictionary'),
    ('heartbeat: 1', "no setting named 'heartbeat'; did you mean 'heartbeat_s'?"),
    ('1: 1', "no setting named '1'"), ('[]', 'the section: '), ('text', 'the section: '),
    ('tree: &a {groups: {again: *a}}', 'recursion error - cyclic reference detected')])
def test_bad_sections_are_refused_with_place_value_and_nearest_name(text: str, fault: str) -> None:
    with pytest.raises(ConfigError) as error:
        loaded(text)
    assert str(error.value).startswith('processes.yaml: supervision: ')
    assert fault in str(error.value)


def test_all_faults_are_said_at_once() -> None:
    with pytest.raises(ConfigError, match=r"nodes: no node named 'a'.*safe_state: no node named 'b'"):
        loaded('{nodes: {a: {}}, safe_state: [b]}')


@pytest.mark.parametrize(('nodes', 'needs', 'order'), [
    ('abc', {}, 'abc'), ('abc', {'a': 'c'}, 'cab'), ('abcd', {'b': 'd', 'd': 'c'}, 'acdb'), ('', {}, '')])
def test_nodes_come_after_what_they_need_and_else_as_given(nodes: str, needs: dict[str, Any], order: str) -> None:
    assert in_order(nodes, needs) == tuple(order)
