"""A robot started by the real launch command, for missions, benchmarks and tests."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from loom.core.errors import DeadlineError
from loom.ros.client import RobotClient, robot_client, wait_for
from loom.ros.shared_memory import reclaim

LAUNCH = ['ros2', 'launch', 'loom', 'bringup.launch.py']
END_S = 12.0
PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


class LaunchedRobot:
    """The launch process, and a guest on the graph of what it started."""

    def __init__(self, process: subprocess.Popen[bytes], client: RobotClient) -> None:
        self.process = process
        self.client = client
        self._begin = time.monotonic()

    def wait_active(self, timeout_s: float = 60.0) -> float:
        """Seconds from the launch command to every node active; DeadlineError where that does not come about."""
        with self.client.newest_health() as health:
            def active() -> bool:
                if self.process.poll() is not None:
                    raise DeadlineError(
                        f'the launch ended with exit code {self.process.returncode} before all was active')
                return any(report.mode == 'active' for report in tuple(health))
            wait_for(active, timeout_s, 'the robot did not become active')
        return time.monotonic() - self._begin

    def end(self, number: int = signal.SIGINT) -> float:
        """Ends the launch and returns how many seconds that took; harsher signals follow where it does not obey."""
        begin = time.monotonic()
        for attempt in (number, signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                self.process.send_signal(attempt)
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(END_S)
        return time.monotonic() - begin


@contextmanager
def launched_robot(*arguments: str, output: IO[Any] | None = None) -> Iterator[LaunchedRobot]:
    """Brings a robot up with launch arguments like `sim:=mujoco`, and ends it after the block."""
    try:
        with _launched(arguments, output) as robot:
            yield robot
    finally:
        # Whoever wrote to a process that was just ending has made its port anew.
        reclaim(min_age_s=5.0)


@contextmanager
def _launched(arguments: tuple[str, ...], output: IO[Any] | None) -> Iterator[LaunchedRobot]:
    namespace = next((word.split(':=')[1] for word in arguments if word.startswith('namespace:=')), '')
    with robot_client(namespace) as client:
        # The guest is there first, so that it misses nothing.
        process = subprocess.Popen([*LAUNCH, *arguments], stdout=output, stderr=output and subprocess.STDOUT,
                                   start_new_session=True, preexec_fn=_end_with_parent)
        robot = LaunchedRobot(process, client)
        try:
            yield robot
        finally:
            robot.end()


def _end_with_parent() -> None:
    # The launch has a session of its own: without this it would outlive a killed `loom run`.
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
