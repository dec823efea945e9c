"""A running robot for benchmarks: the real launch command, watched from outside."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from process_tree import family, name_of

from loom.core.errors import DeadlineError
from loom.ros.client import RobotClient
from loom.ros.launched import launched_robot


@contextmanager
def running_robot(domain: int, *arguments: str) -> Iterator[tuple[RobotClient, int, float]]:
    """(client, pid of the launch, seconds from the launch command to every node active)."""
    os.environ.update(ROS_DOMAIN_ID=str(domain), ROS_AUTOMATIC_DISCOVERY_RANGE='LOCALHOST',
                      LOOM_NETWORK_GATEWAY_PORT='0')
    with open(os.environ.get('BENCH_LOG', os.devnull), 'a') as log, launched_robot(*arguments, output=log) as robot:
        yield robot.client, robot.process.pid, robot.wait_active()


def process_of(node: str, launch: int) -> int:
    """The process that carries a node's name."""
    for pid in family(launch):
        if name_of(pid) == node[:15]:
            return pid
    raise DeadlineError(f'no process of the robot is called {node[:15]}')


def resident_mb(pid: int) -> float:
    """Resident memory of a process and its descendants, summed."""
    total = 0
    for member in family(pid):
        status = Path(f'/proc/{member}/status').read_text()
        total += next((int(line.split()[1]) for line in status.splitlines() if line.startswith('VmRSS')), 0)
    return total / 1024


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and its descendants."""
    ticks = 0
    for member in family(pid):
        fields = Path(f'/proc/{member}/stat').read_text().rsplit(')', 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf('SC_CLK_TCK')
