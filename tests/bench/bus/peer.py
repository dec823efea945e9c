"""Who takes part: a program of this folder, the Python that runs it and the environment that it gets."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from bus.exchange import Task

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
VENV = ROOT / '.venv-bench'
NEEDS = ROOT / 'ros_ws' / 'requirements' / 'bench.txt'
DOMAIN = 74
ROS_PATHS = ('PYTHONPATH', 'LD_LIBRARY_PATH')


@dataclass(frozen=True)
class Peer:
    """`needs` names a module of the peers' own environment; empty: it runs where Loom runs."""

    name: str
    program: str
    title: str
    needs: str = ''
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def installed(self) -> bool:
        """Whether it can take part."""
        return not self.needs or (VENV / 'bin' / 'python').exists() and subprocess.run(
            [VENV / 'bin' / 'python', '-c', f'import {self.needs}'], env=bare(*ROS_PATHS),
            capture_output=True).returncode == 0

    def commands(self, task: Task) -> list[list[str]]:
        """What to start for it: receiver and sender."""
        python = str(VENV / 'bin' / 'python') if self.needs else sys.executable
        return [[python, str(HERE / f'{self.program}.py'), role, *task.arguments()] for role in ('receive', 'send')]

    def variables(self) -> dict[str, str]:
        """Its environment: neither Loom's settings nor, for foreign packages, the paths of ROS."""
        domain = {'ROS_DOMAIN_ID': str(DOMAIN), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
        return {**bare(*(ROS_PATHS if self.needs else ())), **domain, **self.environment}


class Dora(Peer):
    """Two nodes of one dataflow, started by dora."""

    def commands(self, task: Task) -> list[list[str]]:
        """`dora run`; JSON is YAML."""
        (python, *receive), (_, *send) = super().commands(task)
        flow = {'nodes': [
            {'id': 'receiver', 'path': python, 'args': ' '.join(receive), 'inputs': {'message': 'sender/message'}},
            {'id': 'sender', 'path': python, 'args': ' '.join(send), 'outputs': ['message']}]}
        path = task.folder / 'dataflow.yml'
        path.write_text(json.dumps(flow))
        return [[str(VENV / 'bin' / 'dora'), 'run', str(path)]]


@cache
def loom_environment() -> dict[str, str]:
    """What launch/environment.launch.py sets for every process of Loom."""
    spec = importlib.util.spec_from_file_location('environment', ROOT / 'launch' / 'environment.launch.py')
    assert spec is not None and spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return dict(module.VARIABLES)


def bare(*without: str) -> dict[str, str]:
    """The environment of this process without Loom's settings."""
    return {name: value for name, value in os.environ.items() if name not in {*loom_environment(), *without}}


def install() -> None:
    """Makes the peers' environment where it is not up to date; what has no wheel for this Python stays out."""
    done, wanted = VENV / '.installed', NEEDS.read_text() + sys.version
    if done.exists() and done.read_text() == wanted:
        return
    print('  installing the peers into .venv-bench, once', flush=True)
    subprocess.run([sys.executable, '-m', 'venv', '--clear', VENV], env=bare(*ROS_PATHS), check=True)
    pip = [VENV / 'bin' / 'python', '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps',
           '--only-binary', ':all:']
    if subprocess.run([*pip, '-r', NEEDS], env=bare(*ROS_PATHS), capture_output=True).returncode:
        for line in NEEDS.read_text().splitlines():
            subprocess.run([*pip, line], env=bare(*ROS_PATHS), capture_output=True)
    done.write_text(wanted)
