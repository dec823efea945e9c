"""However the launch ends, its processes end with it and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from process_tree import family, runs, shared_memory

from loom.ros.launched import launched_robot

LIMIT_S = 5.0


@pytest.mark.parametrize(('number', 'storm'), [(signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGKILL, False)])
def test_everything_ends_with_the_launch(number: int, storm: bool, tmp_path: Path, until: Any,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'temporary').mkdir()
    monkeypatch.setenv('TMPDIR', str(tmp_path / 'temporary'))

    def files() -> list[Path]:
        return [path for pattern in ('launch_params_*', 'loom*') for path in (tmp_path / 'temporary').glob(pattern)]
    with (tmp_path / 'output').open('wb') as output, launched_robot(output=output) as robot:
        robot.wait_active(90.0)
        pids = family(robot.process.pid)
        held = set().union(*map(shared_memory, pids))
        assert held and files()
        source = start_storm(robot) if storm else None
        begin = time.monotonic()
        robot.process.send_signal(number)
        until(lambda: not any(map(runs, pids)), 'a process of the robot lives on', timeout_s=30.0)
        took_s = time.monotonic() - begin
        if source is not None:
            source.terminate()
            source.wait(10.0)
    assert took_s <= LIMIT_S, f'{took_s:.1f} s\n{(tmp_path / "output").read_text()[-3000:]}'
    assert not [path for path in held if path.exists()]
    # A launch that is killed can't remove the parameter files it wrote.
    assert number == signal.SIGKILL or not files()


def start_storm(robot: Any) -> subprocess.Popen[bytes]:
    """5000 events a second from a process of their own, once they arrive."""
    source = subprocess.Popen(['ros2', 'run', 'loom', 'container', 'synthetic'],
                              env={**os.environ, 'LOOM_SYNTHETIC_RATE_HZ': '5000'},
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    from lifecycle_client import ACTIVATE, CONFIGURE, LifecycleClient
    events = robot.client.events('synthetic.**')
    node = LifecycleClient(robot.client.node, 'synthetic')
    node.transition(CONFIGURE, 20.0)
    node.transition(ACTIVATE, 20.0)
    events.get(timeout=20.0)
    return source
