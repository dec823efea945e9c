"""A running robot for benchmarks: the real launch command, watched from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loom.ros.client import RobotClient, robot_client, wait_for

START_S = 60.0
END_S = 10.0


@contextmanager
def running_robot(domain: int, *arguments: str) -> Iterator[tuple[RobotClient, int, float]]:
    """(client, pid of the launch, seconds from the launch command to every node active)."""
    os.environ.update(ROS_DOMAIN_ID=str(domain), ROS_AUTOMATIC_DISCOVERY_RANGE='LOCALHOST')
    log = open(os.environ.get('BENCH_LOG', os.devnull), 'a')
    with robot_client() as robot:
        begin = time.monotonic()
        launch = subprocess.Popen(['ros2', 'launch', 'loom', 'bringup.launch.py', *arguments],
                                  stdout=log, stderr=log, start_new_session=True)
        try:
            wait_for(lambda: robot.node.count_publishers('loom/health') > 0, START_S, 'no supervisor came up')
            wait_for(lambda: robot.health().mode == 'active', START_S, 'the robot did not become active')
            yield robot, launch.pid, time.monotonic() - begin
        finally:
            end(launch)


def end(launch: subprocess.Popen[bytes]) -> None:
    """Ends the launch as Ctrl-C does."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if launch.poll() is None:
            launch.send_signal(number)
            try:
                launch.wait(END_S)
            except subprocess.TimeoutExpired:
                continue


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for member in found:
        for task in Path(f'/proc/{member}/task').glob('*/children'):
            found += [int(child) for child in task.read_text().split()]
    return found


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
