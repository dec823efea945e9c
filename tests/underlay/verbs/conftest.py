"""One small node for all tests of the ``ros2`` verbs, and a way to run them as a person would."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PACKAGE = HERE.parents[2] / 'ros_ws' / 'underlay' / 'python' / 'ros2cli_standin'
COMMAND = [sys.executable, str(PACKAGE)]
DOMAIN = {'ROS_DOMAIN_ID': '32', 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST', 'PYTHONUNBUFFERED': '1'}
Ros2 = Callable[..., 'subprocess.CompletedProcess[str]']


@pytest.fixture(scope='session')
def ros2_environment() -> dict[str, str]:
    """The environment of the node and of the commands: a domain of their own."""
    return {**os.environ, **DOMAIN}


@pytest.fixture(scope='session')
def subject(ros2_environment: dict[str, str]) -> Iterator[str]:
    """Run the node, give its name, and end it."""
    command = [sys.executable, str(HERE / 'ros2_subject.py')]
    # Frequent announcements spare most commands the up to 3 s until they meet the node.
    environment = {**ros2_environment, 'FASTDDS_DEFAULT_PROFILES_FILE': str(PACKAGE / 'discovery.xml')}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == 'ready\n'
        yield '/lab/subject'
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture(scope='session')
def ros2(ros2_environment: dict[str, str]) -> Ros2:
    """Run ``ros2`` with the arguments; the result has its output."""

    def run(*arguments: str) -> 'subprocess.CompletedProcess[str]':
        return subprocess.run(
            [*COMMAND, *arguments], env=ros2_environment, capture_output=True, text=True, timeout=60, check=False
        )

    return run


@pytest.fixture
def start_ros2(ros2_environment: dict[str, str]) -> Iterator[Callable[..., 'subprocess.Popen[str]']]:
    """Start ``ros2`` with the arguments and leave it running; it is ended after the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> 'subprocess.Popen[str]':
        process = subprocess.Popen(
            [*COMMAND, *arguments], env=ros2_environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
