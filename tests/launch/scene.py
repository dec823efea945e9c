"""A launched robot under attack: its processes by name, what it says of itself, and what it has left behind."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from process_tree import children, name_of, runs

from loom.ros.launched import LaunchedRobot, launched_robot

HERE = Path(__file__).resolve().parent
UP_S = 60.0
BACK = re.compile(r'\[keeper\]: (\w+) is back ([\d.]+) s after')
SPARE = 'standby'


@dataclass(frozen=True)
class Blow:
    """A signal that a process got, and how many reports there were then."""

    name: str
    pid: int
    reports: int
    at_s: float


class Scene:
    """Who is who is told by the names that processes give themselves: those of their first nodes."""

    def __init__(self, robot: LaunchedRobot, output: Path) -> None:
        from loom_msgs.msg import Health

        from loom.core.delivery import STATE
        from loom.ros.qos import subscription_profile
        self.robot = robot
        self.output = output
        self.reports: list[Any] = []
        robot.client.node.create_subscription(Health, 'loom/health', self.reports.append, subscription_profile(STATE))

    @property
    def text(self) -> str:
        """All that the launch has printed."""
        return self.output.read_text(errors='replace')

    @property
    def health(self) -> Any:
        """The newest report."""
        return self.reports[-1]

    def keeper(self) -> int:
        """The process that the launch started."""
        return next(iter(children(self.robot.process.pid)), 0)

    def processes(self) -> dict[str, int]:
        """First node -> number of its process, the spare among them."""
        keeper = self.keeper()
        return {SPARE if name_of(pid) == name_of(keeper) else name_of(pid).partition('+')[0]: pid
                for pid in children(keeper)}

    def strike(self, name: str, number: int) -> Blow:
        """Sends a signal to a process."""
        blow = Blow(name, self.processes()[name], len(self.reports), time.monotonic())
        os.kill(blow.pid, number)
        return blow

    def back(self, *blows: Blow) -> bool:
        """Whether others have taken the places of those who were struck, and all is active."""
        now = self.processes()
        return all(now.get(blow.name, blow.pid) != blow.pid and not runs(blow.pid) for blow in blows) and (
            all(blow.name == SPARE for blow in blows) or self.whole(max(blow.reports for blow in blows)))

    def whole(self, seen: int = 0) -> bool:
        """Whether the newest report, which is none of the first `seen`, says that all is active."""
        return len(self.reports) > seen and self.health.level == 0 and self.health.mode == 'active'

    def recoveries(self) -> list[float]:
        """Seconds from each failure to the state from before, as the keeper measured them."""
        return sorted(float(seconds) for _, seconds in BACK.findall(self.text))


@contextmanager
def scene(folder: Path, *arguments: str, wait: bool = True, **environment: str) -> Iterator[Scene]:
    """A robot with these launch arguments and this environment; its output is shown when it does not come up."""
    output = folder / 'output'
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {'PYTHONPATH': f'{HERE}:{os.environ.get("PYTHONPATH", "")}', **environment}.items():
            patch.setenv(name, value)
        with output.open('wb') as file, launched_robot(*arguments, output=file) as robot:
            one = Scene(robot, output)
            try:
                if wait:
                    robot.wait_active(UP_S)
            except Exception:
                pytest.fail(one.text[-5000:])
            yield one


def forgiving(table: Path, folder: Path) -> Path:
    """The table of processes, but for a robot that may fail as often as tests need it."""
    plan = yaml.safe_load(table.read_text())
    plan['supervision'] |= {'restarts': 100, 'window_s': 600.0, 'backoff_step_s': 0.05, 'backoff_max_s': 0.1}
    path = folder / 'processes.yaml'
    path.write_text(yaml.safe_dump(plan, sort_keys=False))
    return path


def continue_all(pids: list[int]) -> None:
    """Lets go of processes that a test has stopped, if they are still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
