"""A process without ROS is a full agent: in an environment of its own it talks with agents on ROS, whoever dies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from loom.agents.journal import MAGIC
from loom.core.folders import state_folder

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
INSTALL_S = 120.0
END_S = 2.0
ENOUGH = 3
TALKS = ('greeted', 'doors')


@pytest.fixture(scope='module')
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment in which only `pip install loom[dds]` was done."""
    pytest.importorskip('cyclonedds')
    place = tmp_path_factory.mktemp('no_ros')
    # A build leaves its traces beside the sources.
    shutil.copytree(ROOT / 'ros_ws' / 'src' / 'loom', place / 'source', ignore=shutil.ignore_patterns('__pycache__'))
    uv, python = Path(sys.executable).with_name('uv'), place / 'venv' / 'bin' / 'python'
    if not uv.exists():
        pytest.skip('needs uv, which ros_ws/setup.sh could not install')
    environment = {k: v for k, v in os.environ.items() if k not in ('PYTHONPATH', 'LD_LIBRARY_PATH', 'VIRTUAL_ENV')}
    for command in (['venv', '--python', sys.executable, str(place / 'venv')],
                    ['pip', 'install', '--python', str(python), '-c', str(ROOT / 'ros_ws/requirements/lock.txt'),
                     f'{place / "source"}[dds]']):
        done = subprocess.run([str(uv), '--quiet', *command], capture_output=True, text=True, timeout=INSTALL_S,
                              env=environment)
        if done.returncode and 'fetch' in done.stderr:
            pytest.skip(f'no package registry can be reached: {done.stderr[-300:]}')
        assert done.returncode == 0, done.stderr
    return python


@pytest.fixture
def start(python: Path, program: Callable[..., Any]) -> Iterator[Callable[[str], Any]]:
    """Starts the doorman (without ROS) or the registry (with it)."""
    def begin(name: str) -> Any:
        # -I: nothing of the workspace reaches it through the environment.
        before = [str(python), '-I'] if name == 'doorman' else [sys.executable]
        return program(command=[*before, str(HERE / f'{name}.py')])
    yield begin


def test_only_small_packages_are_needed(python: Path) -> None:
    code = ('import loom.dds, sys, pathlib, importlib.util as u\n'
            'assert not u.find_spec("rclpy") and not u.find_spec("numpy")\n'
            'tops = {name.split(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)\n'
            'print(*sorted(tops))')
    done = subprocess.run([str(python), '-I', '-c', code], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert {'loom', 'cyclonedds', 'pydantic'} <= set(done.stdout.split())


def test_it_emits_receives_requests_and_answers_and_ends_in_time(start: Callable[[str], Any],
                                                                until: Callable[..., None]) -> None:
    doorman, registry = start('doorman'), start('registry')
    talk(registry, doorman, until)
    assert doorman.end(signal.SIGTERM, END_S) == 0
    assert 'Traceback' not in doorman.text
    # What it has done is known to the next one.
    assert (state_folder() / 'journal' / 'doorman.journal').read_bytes().startswith(MAGIC)


@pytest.mark.parametrize('victim', ['doorman', 'registry'])
def test_both_go_on_when_one_was_killed_and_started_again(start: Callable[[str], Any], until: Callable[..., None],
                                                          victim: str) -> None:
    both = {'doorman': start('doorman'), 'registry': start('registry')}
    talk(both['registry'], both['doorman'], until)
    for _ in range(3):
        both[victim].end(signal.SIGKILL)
        both[victim] = start(victim)
        talk(both['registry'], both['doorman'], until)


def talk(registry: Any, doorman: Any, until: Callable[..., None]) -> None:
    """Waits for conversations that begin from now on; one may still be on its way from a process that was killed."""
    seen = len(registry.text)
    until(lambda: all(registry.text[seen:].count(word) >= ENOUGH for word in TALKS),
          f'no talk; registry: {registry.text[-500:]!r}, doorman: {doorman.text[-500:]!r}')


def test_the_readme_has_this_very_agent() -> None:
    assert (HERE / 'doorman.py').read_text().strip() in (ROOT / 'README.md').read_text()
