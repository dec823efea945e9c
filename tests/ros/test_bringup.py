"""What launch refuses before the first process starts, and the plan of processes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from loom.core.errors import ConfigError
from loom.ros.bringup import check_arguments, load_yaml, parameter_file, processes, start_order
from loom.ros.sim_files import world_path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / 'config' / 'processes.yaml'
FORMS = ('one', 'few', 'many')


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('sim', ['mujoco', 'gazebo', 'isaac', 'none'])
def test_every_form_runs_the_same_nodes_once(form: str, sim: str) -> None:
    nodes = [node for members in processes(TABLE, form, sim).values() for node in members]
    assert sorted(nodes) == sorted([*start_order(TABLE, sim), 'supervisor'])
    assert len(nodes) == len(set(nodes)) and ('simulator' in nodes) == (sim == 'mujoco')


def test_the_default_is_a_handful_and_safety_is_alone() -> None:
    plan = processes(TABLE, 'few', 'mujoco')
    assert len(plan) <= 6 and ['safety'] in plan.values()
    assert len(processes(TABLE, 'one', 'mujoco')) == 1
    assert all(len(members) == 1 for members in processes(TABLE, 'many', 'mujoco').values())


def test_safety_is_up_before_anything_that_may_move_the_robot() -> None:
    order = start_order(TABLE, 'mujoco')
    assert max(order.index('safety'), order.index('simulator')) < min(map(order.index, ('action_broker', 'agent_host')))


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
