"""What follows from failures: restarts and their waits, fallbacks, escalation, and the end."""

from __future__ import annotations

import pytest
import yaml

from loom.supervise.policy import Decision, Policy
from loom.supervise.settings import load
from loom.supervise.tree import Tree

NODES = ('simulator', 'camera', 'safety', 'memory', 'broker', 'host')
# Waits of a node: 0, 0.25, 0.5 s; of a group 8 s.
SECTION = """
restarts: 2
window_s: 10
tree:
  restarts: 1
  groups:
    base: {strategy: rest_for_one, nodes: [simulator, safety], restarts: 1}
    mind: {strategy: one_for_all, nodes: [memory, broker, host], restarts: 1}
nodes:
  safety: {needs: [simulator]}
  camera: {needs: [simulator], on_failure: degrade, fallback: painted}
"""


def policy(section: str = SECTION, **changes: str) -> Policy:
    content = yaml.safe_load(section)
    for node, settings in changes.items():
        content['nodes'][node] = yaml.safe_load(settings)
    return Policy(Tree(load(content, (*NODES, 'painted')), NODES))


def fail(subject: Policy, *nodes: str, times: int = 1, now_s: float = 100.0) -> Decision:
    """The last decision of several failures at one time."""
    for _ in range(times):
        decision = subject.failed(nodes, 'was ended by SIGKILL', now_s)
    return decision


def test_a_node_is_started_again_with_those_that_its_group_says() -> None:
    because = 'failure 1 of camera within 10 s, 2 allowed'
    assert fail(policy(), 'camera') == Decision(restart=('camera',), because=because)
    assert fail(policy(), 'simulator').restart == ('simulator', 'safety')
    assert fail(policy(), 'safety').restart == ('safety',)
    assert fail(policy(), 'broker').restart == ('memory', 'broker', 'host')


def test_waits_double_and_begin_anew_when_the_window_has_passed() -> None:
    subject = policy(camera='{restarts: 9, window_s: 60}')
    assert [fail(subject, 'camera').delay_s for _ in range(8)] == [0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert fail(subject, 'camera', now_s=160.0).delay_s == 8.0
    assert fail(subject, 'camera', now_s=220.1).delay_s == 0.0


def test_a_failure_does_not_count_for_those_that_are_started_again_with_it() -> None:
    subject = policy()
    fail(subject, 'simulator', times=2)
    assert subject.restarts(110.0) == {'simulator': 2}
    assert subject.restarts(110.1) == {}
    assert fail(subject, 'safety').delay_s == 0.0


def test_a_process_that_dies_is_one_decision_with_the_longest_wait() -> None:
    subject = policy()
    fail(subject, 'camera')
    decision = fail(subject, 'host', 'camera', 'camera')
    assert (decision.restart, decision.delay_s) == (('camera', 'memory', 'broker', 'host'), 0.25)
    assert subject.restarts(100.0) == {'camera': 2, 'host': 1}


def test_too_many_failures_are_those_within_the_window() -> None:
    subject = policy(host='{on_failure: degrade}')
    fail(subject, 'host', times=2)
    assert not fail(subject, 'host', now_s=110.1).give_up
    assert fail(subject, 'host', times=2, now_s=120.1).give_up == ('host',)


def test_a_degraded_node_stays_down_until_it_is_forgotten() -> None:
    subject = policy(host='{on_failure: degrade}')
    decision = fail(subject, 'host', times=3)
    assert decision == Decision(give_up=('host',), because='failure 3 of host within 10 s, 2 allowed')
    assert fail(subject, 'memory').restart == ('memory', 'broker')
    assert fail(subject, 'host') == Decision(give_up=('host',), because='host was given up before')
    assert subject.health(100.0).given_up == {'host': f'{decision.because}: was ended by SIGKILL'}
    subject.forget('host')
    assert fail(subject, 'host').restart == ('memory', 'broker', 'host')


def test_a_fallback_takes_the_place_of_its_node() -> None:
    subject = policy(SECTION.replace('[simulator, safety]', '[simulator, safety, camera]'),
                     safety='{needs: [camera]}')
    decision = fail(subject, 'camera', times=3)
    assert (decision.give_up, decision.start, decision.restart) == (('camera',), ('painted',), ('safety',))
    assert decision.because == 'failure 3 of camera within 10 s, 2 allowed; painted takes its place'
    assert subject.health(100.0).standing_in == {'camera': 'painted'}
    assert fail(subject, 'simulator').restart == ('simulator', 'painted', 'safety')
    assert fail(subject, 'painted').restart == ('painted', 'safety')


def test_a_fallback_that_fails_too_often_leaves_the_rule_of_its_node() -> None:
    for rule, end in (('degrade', ''), ('safe', 'safe'), ('shutdown', 'shutdown')):
        subject = policy(camera=f'{{on_failure: {rule}, fallback: painted}}')
        assert fail(subject, 'camera', times=3).end == ''
        decision = fail(subject, 'painted', times=3)
        assert (decision.give_up, decision.start, decision.end) == (('painted',), (), end)
        assert set(subject.health(100.0).given_up) == {'camera', 'painted'}
        assert subject.health(100.0).standing_in == {}


def test_a_fallback_that_fails_too_often_may_be_a_failure_of_the_group() -> None:
    subject = policy(camera='{fallback: painted}')
    fail(subject, 'camera', times=3)
    decision = fail(subject, 'painted', times=3)
    assert decision.restart == ('simulator', 'painted', 'safety', 'memory', 'broker', 'host')
    assert fail(subject, 'painted').delay_s == 0.0


def test_a_reset_brings_the_node_back_in_place_of_its_fallback() -> None:
    for name in ('camera', 'painted'):
        subject = policy()
        fail(subject, 'camera', times=3)
        fail(subject, 'painted', times=3)
        subject.forget(name)
        assert fail(subject, 'camera').restart == ('camera',)
        assert fail(subject, 'painted').give_up == ('painted',)
        assert fail(subject, 'camera', times=2).start == ('painted',)


def test_a_group_is_started_again_as_a_whole_with_its_nodes_forgiven() -> None:
    subject = policy()
    fail(subject, 'simulator')
    decision = fail(subject, 'safety', times=3)
    assert (decision.restart, decision.delay_s, decision.end) == (('simulator', 'safety'), 8.0, '')
    assert decision.because == ('failure 3 of safety within 10 s, 2 allowed; '
                                'failure 1 of root.base within 600 s, 1 allowed')
    assert subject.restarts(100.0) == {}


def test_a_group_that_fails_too_often_is_a_failure_of_the_one_around_it_up_to_the_end() -> None:
    subject = policy()
    assert fail(subject, 'safety', times=3).restart == ('simulator', 'safety')
    assert fail(subject, 'safety', times=3).restart == NODES
    decision = fail(subject, 'safety', times=3)
    assert (decision.restart, decision.give_up, decision.end) == ((), ('safety',), 'safe')
    assert decision.because.endswith('failure 2 of root within 600 s, 1 allowed')
    assert fail(subject, 'simulator').restart == ('simulator',)


def test_an_operator_s_reset_forgives_the_groups_too() -> None:
    subject = policy()
    assert fail(subject, 'safety', times=9).end == 'safe'
    subject.forget('safety')
    assert fail(subject, 'safety', times=3).restart == ('simulator', 'safety')


def test_group_windows_pass() -> None:
    subject = policy()
    fail(subject, 'safety', times=6)
    assert fail(subject, 'safety', times=3, now_s=700.1).restart == ('simulator', 'safety')


def test_a_process_whose_nodes_all_fail_too_often_is_one_failure_of_their_group() -> None:
    subject = policy()
    decision = fail(subject, 'memory', 'broker', 'host', times=3)
    assert (decision.restart, decision.delay_s) == (('memory', 'broker', 'host'), 8.0)
    assert decision.because.count('root.mind') == 1
    assert fail(subject, 'memory', 'broker', 'host', times=3).restart == NODES
    decision = fail(subject, 'memory', 'broker', 'host', times=3)
    assert (decision.give_up, decision.end) == (('memory', 'broker', 'host'), 'safe')


@pytest.mark.parametrize(('rule', 'given_up', 'end'), [
    ('degrade', ('memory', 'broker', 'host'), ''), ('safe', ('host',), 'safe'), ('shutdown', ('host',), 'shutdown')])
def test_a_group_may_have_a_rule_of_its_own(rule: str, given_up: tuple[str, ...], end: str) -> None:
    subject = policy(SECTION.replace('one_for_all,', f'one_for_all, on_failure: {rule},'))
    decision = fail(subject, 'host', times=6)
    assert (decision.give_up, decision.restart, decision.end) == (given_up, (), end)


def test_a_group_that_is_given_up_takes_its_fallbacks_along() -> None:
    section = SECTION.replace('[memory, broker, host]', '[camera, memory]').replace(
        'one_for_all,', 'one_for_one, on_failure: degrade,')
    before, after, never = policy(section), policy(section), policy(section)
    fail(before, 'camera', times=3)
    assert fail(before, 'memory', times=6).give_up == ('painted', 'memory')
    fail(after, 'memory', times=5)
    fail(after, 'camera', times=2)
    together = fail(after, 'memory', 'camera')
    assert (together.give_up, together.start, together.restart) == (('camera', 'memory'), (), ())
    assert fail(never, 'memory', times=6).give_up == ('camera', 'memory')
    for subject in (before, after, never):
        assert (fail(subject, 'camera').restart, subject.health(100.0).standing_in) == ((), {})


def test_inner_groups_escalate_to_the_one_around_them() -> None:
    subject = policy('{restarts: 0, tree: {restarts: 0, on_failure: shutdown, groups: {outer: {nodes: [memory], '
                     'restarts: 1, groups: {inner: {nodes: [broker, host], restarts: 1}}}}}, nodes: {}}')
    assert fail(subject, 'host').restart == ('broker', 'host')
    assert fail(subject, 'host').restart == ('memory', 'broker', 'host')
    assert fail(subject, 'host').end == 'shutdown'


def test_the_harshest_end_and_the_longest_wait_win() -> None:
    subject = policy(camera='{restarts: 0, on_failure: shutdown}', host='{restarts: 0, on_failure: safe}',
                     safety='{restarts: 0}')
    decision = fail(subject, 'camera', 'host', 'safety', 'memory')
    assert (decision.end, decision.give_up, decision.delay_s) == ('shutdown', ('camera', 'host'), 8.0)
    assert decision.restart == ('simulator', 'safety', 'memory', 'broker')
