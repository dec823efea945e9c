"""What launch refuses before the first process starts, and the plan of processes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from loom.core.errors import ConfigError
from loom.ros.bringup import check_arguments, load_yaml, parameter_file
from loom.ros.plan import processes, start_order, supervision_tree
from loom.ros.sim_files import world_path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / 'config' / 'processes.yaml'
FORMS = ('one', 'few', 'many')
SIMS = ('mujoco', 'gazebo', 'isaac', 'none')


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('sim', SIMS)
def test_every_form_runs_the_same_nodes_once(form: str, sim: str) -> None:
    nodes = [node for members in processes(TABLE, form, sim).values() for node in members]
    assert sorted(nodes) == sorted([*start_order(TABLE, sim), 'supervisor'])
    assert len(nodes) == len(set(nodes)) and ('simulator' in nodes) == (sim == 'mujoco')


def test_the_default_is_a_handful_and_safety_is_alone() -> None:
    plan = processes(TABLE, 'few', 'mujoco')
    assert len(plan) <= 6 and ['safety'] in plan.values()
    assert len(processes(TABLE, 'one', 'mujoco')) == 1
    assert all(len(members) == 1 for members in processes(TABLE, 'many', 'mujoco').values())


@pytest.mark.parametrize('sim', SIMS)
def test_safety_is_up_before_anything_that_may_move_the_robot(sim: str) -> None:
    tree = supervision_tree(TABLE, sim)
    assert tree.order() == ('supervisor', *start_order(TABLE, sim)), 'shown as started'
    assert {'safety', 'action_broker', 'memory_server', 'model_router'} <= set(tree.needs('agent_host'))
    assert tree.dependants('safety') == ('agent_host',) and ('simulator' in tree.order()) == (sim == 'mujoco')


def test_the_safe_state_lacks_nothing_and_moves_nothing() -> None:
    tree = supervision_tree(TABLE, 'mujoco')
    safe = tree.settings.safe_state
    assert 'safety' in safe and not {'action_broker', 'agent_host'} & set(safe)
    assert all(set(tree.needs(node)) <= set(safe) for node in safe)


def test_what_is_wrong_in_the_tree_is_named_with_its_file(tmp_path: Path) -> None:
    plan = yaml.safe_load(TABLE.read_text())
    plan['supervision']['nodes']['saftey'] = {}
    (tmp_path / 'table.yaml').write_text(yaml.safe_dump(plan))
    with pytest.raises(ConfigError, match=r"table\.yaml: supervision: nodes: no node named 'saftey'; did you mean"):
        supervision_tree(tmp_path / 'table.yaml', 'mujoco')


def test_a_table_may_name_a_node_of_another_class(tmp_path: Path) -> None:
    few = {'all': ['supervisor', 'camera', 'guard_host=agent_host']}
    plan = {'order': ['guard_host=agent_host', 'camera'], 'few': few,
            'only_in_simulation': [], 'supervision': {'nodes': {'guard_host': {'needs': ['camera']}}}}
    (tmp_path / 'table.yaml').write_text(yaml.safe_dump(plan))
    assert processes(tmp_path / 'table.yaml', 'few', 'none') == few
    assert supervision_tree(tmp_path / 'table.yaml', 'none').order() == ('supervisor', 'camera', 'guard_host')


def test_unknown_arguments_are_refused_with_the_nearest_name() -> None:
    check_arguments(['world', 'sim'], ['ros2', 'launch', 'loom', 'x.py', 'world:=home', '--debug', '-r', 'sim:='])
    with pytest.raises(ConfigError, match="no launch argument named 'wrold'; did you mean 'world'"):
        check_arguments(['world', 'sim'], ['ros2', 'wrold:=home'])


def test_worlds_are_found_by_name_or_path() -> None:
    home = world_path('home')
    assert home.name == 'home.sdf' and world_path(str(home)) == home
    with pytest.raises(ConfigError, match="no file 'hom' in worlds; did you mean 'home'"):
        world_path('hom')
    for name in ('', 'zzz', '../../etc/passwd', '/nowhere.sdf'):
        with pytest.raises(ConfigError, match='no file'):
            world_path(name)


@pytest.mark.parametrize(('text', 'rule'), [
    ('a: [1', r'broken\.yaml:\d+: '), ('a:\n\tb: 1', r'broken\.yaml:2: '), ('- 1', 'maps node names.*got list'),
    ('', 'maps node names.*got NoneType'), ('camera: 3', 'camera must hold ros__parameters, got 3'),
    ('camera:\n  rate_hz: 3', 'camera must hold ros__parameters'),
    ('camera:\n  ros__parameters: 5', 'camera must hold'),
    ('a: &a [*a]', 'broken.yaml'), ('a: !!python/object:os.system {}', 'broken.yaml')])
def test_a_broken_parameter_file_is_one_line_with_its_place(tmp_path: Path, text: str, rule: str) -> None:
    (tmp_path / 'broken.yaml').write_text(text)
    with pytest.raises(ConfigError, match=rule) as refused:
        parameter_file(str(tmp_path / 'broken.yaml'))
    assert '\n' not in str(refused.value) and len(str(refused.value)) < 500


def test_a_file_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'binary.yaml').write_bytes(b'\xff\xfe\x00\x01')
    for name in ('binary.yaml', 'absent.yaml', ''):
        with pytest.raises(ConfigError):
            parameter_file(str(tmp_path / name))


def test_a_bomb_of_anchors_is_refused_or_harmless(tmp_path: Path) -> None:
    lines = ['good:', '  ros__parameters:', '    a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
    lines += [f'    a{i}: &a{i} [{", ".join([f"*a{i - 1}"] * 10)}]' for i in range(1, 12)]
    lines += ['bad: *a11']
    (tmp_path / 'bomb.yaml').write_text('\n'.join(lines))
    with pytest.raises(ConfigError) as refused:
        parameter_file(str(tmp_path / 'bomb.yaml'))
    assert len(str(refused.value)) < 500


def test_the_parameter_file_of_the_project_is_right() -> None:
    path = ROOT / 'config' / 'loom.yaml'
    assert parameter_file(str(path)) == str(path)


def test_yaml_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / 'good.yaml').write_text(yaml.safe_dump({'a': {'ros__parameters': {'x': 1}}}))
    assert load_yaml(tmp_path / 'good.yaml') == {'a': {'ros__parameters': {'x': 1}}}


@pytest.mark.parametrize(('text', 'reason'), [
    ('[a]', 'must map order, few and supervision to their values, got list'),
    ('few: {}', 'order: field required'), ('order: [camera]\nfew: {all: [supervisor]}', "'camera' is in 0"),
    ('order: [camera]\nfew: {a: [supervisor, camera], b: [camera]}', "'camera' is in 2"),
    ('order: [camera]\nfew: {all: [camera]}', "'supervisor' is in 0"),
    ('order: [camera]\nfew: {all: [supervisor, camra]}', "few.all: 'camra' is not in the order; did you mean 'camera'"),
    ('order: [camera]\nonly_in_simulation: [simulator]', "only_in_simulation: 'simulator' is not in the order"),
    ('order: [camera]\nfeww: {}', "no parameter named 'feww'")])
def test_a_wrong_table_of_processes_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / 'table.yaml').write_text(text)
    with pytest.raises(ConfigError, match=re.escape(reason)):
        processes(tmp_path / 'table.yaml', 'few', 'none')
