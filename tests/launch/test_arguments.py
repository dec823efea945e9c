"""Bad launch arguments and files: an error that names rule, value and remedy, and nothing is started."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from loom.ros.launched import LAUNCH

LAUNCH_FILES = sorted(path.name for path in (Path(__file__).parents[2] / 'launch').glob('*.launch.py'))


def launch(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*LAUNCH, *arguments], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(('argument', 'words'), [
    ('wrld:=home', ("'wrld'", "'world'")),
    ('world:=hoem', ("'hoem'", "'home'")),
    ('sim:=gazbo', ("'gazbo'", 'gazebo')),
    ('processes:=several', ("'several'", 'few')),
    ('params_file:=/nowhere.yaml', ('/nowhere.yaml', 'does not exist')),
])
def test_a_bad_argument_starts_nothing(argument: str, words: tuple[str, ...]) -> None:
    done = launch(argument)
    shown = done.stdout + done.stderr
    assert done.returncode == 1, shown
    assert all(word in shown for word in words), shown
    assert 'process started' not in shown


def test_broken_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / 'bad.yaml').write_text('/**/safety:\n  ros__parameters:\n    a: [1, 2\n')
    done = launch(f'params_file:={tmp_path / "bad.yaml"}')
    assert done.returncode == 1 and 'bad.yaml:' in done.stdout + done.stderr
    assert 'process started' not in done.stdout + done.stderr


def test_an_unknown_parameter_ends_the_launch_with_its_nearest_name(tmp_path: Path) -> None:
    (tmp_path / 'odd.yaml').write_text('/**/simulator:\n  ros__parameters:\n    scan_rate: 5.0\n')
    done = launch(f'params_file:={tmp_path / "odd.yaml"}')
    assert "no parameter named 'scan_rate'; did you mean 'scan_rate_hz'?" in done.stdout + done.stderr
    assert 'Traceback' not in done.stdout + done.stderr


@pytest.mark.parametrize(('change', 'words'), [
    ({'heartbeat_s': 0}, 'supervision: heartbeat_s: input should be greater than 0, got 0'),
    ({'nodes': {'camra': {}}}, "nodes: no node named 'camra'; did you mean 'camera'"),
    ({'nodes': {'camera': {'needs': ['salience']}, 'salience': {'needs': ['camera']}}}, 'must not lead back to it')])
def test_a_wrong_table_of_processes_ends_the_launch_with_its_place(tmp_path: Path, table: Path,
                                                                   change: dict[str, object], words: str) -> None:
    (tmp_path / 'table.yaml').write_text(yaml.safe_dump({**yaml.safe_load(table.read_text()), 'supervision': change}))
    shown = launch(f'processes_file:={tmp_path / "table.yaml"}')
    assert f'error: {tmp_path / "table.yaml"}: ' in shown.stdout + shown.stderr and words in shown.stdout + shown.stderr
    assert 'Traceback' not in shown.stdout + shown.stderr


@pytest.mark.parametrize('name', LAUNCH_FILES)
def test_every_launch_file_prints_its_arguments(name: str) -> None:
    done = subprocess.run(['ros2', 'launch', 'loom', name, '--show-args'], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
