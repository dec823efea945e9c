"""loom new and the examples of loom run, which need neither robot nor ROS."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from loom.cli.main import app
from loom.core.errors import ConfigError, EventError

runner = CliRunner(env={'COLUMNS': '160'})


def test_a_new_agent_has_a_test_that_passes(tmp_path: Path) -> None:
    made = runner.invoke(app, ['new', 'agent', 'porter', '--in', str(tmp_path / 'agents')])
    assert made.exit_code == 0 and 'test_porter.py' in made.output
    checked = subprocess.run([sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'test_porter.py'],
                             cwd=tmp_path / 'agents', capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0 and '2 passed' in checked.stdout, checked.stdout + checked.stderr
    again = runner.invoke(app, ['new', 'agent', 'porter', '--in', str(tmp_path / 'agents')])
    assert isinstance(again.exception, ConfigError) and 'porter.py is there already' in str(again.exception)


@pytest.mark.parametrize('name', ['Porter', 'a.b', 'class', '../porter'])
def test_a_bad_name_makes_nothing(tmp_path: Path, name: str) -> None:
    made = runner.invoke(app, ['new', 'agent', name, '--in', str(tmp_path)])
    assert isinstance(made.exception, (ConfigError, EventError)) and not list(tmp_path.iterdir())


def test_examples_run_without_a_robot() -> None:
    trio = runner.invoke(app, ['run', 'trio', 'topic:=mailbox'])
    assert trio.exit_code == 0 and 'agents.mailbox' in trio.output
    market = runner.invoke(app, ['run', 'market_analyst', 'symbol:=ACME'])
    assert market.exit_code == 0 and market.output.startswith('ACME: ')
    wrong = runner.invoke(app, ['run', 'market_analyst', 'ACME'])
    assert isinstance(wrong.exception, ConfigError) and 'must be name:=value' in str(wrong.exception)
