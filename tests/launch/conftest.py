"""Robots started by the real launch command; each module gets a domain of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

DOMAINS = {'test_robot': 81, 'test_mission': 82, 'test_endings': 83, 'test_forms': 84, 'test_arguments': 85,
           'test_trace': 86, 'test_recovery': 87, 'test_harm': 88, 'test_breaker': 89}


@pytest.fixture(autouse=True, scope='module')
def _domain(request: pytest.FixtureRequest) -> Iterator[None]:
    pytest.importorskip('rclpy')
    name = request.module.__name__.rpartition('.')[2]
    before = os.environ.get('ROS_DOMAIN_ID')
    os.environ['ROS_DOMAIN_ID'] = str(DOMAINS[name])
    # Any free port: another robot may be up on this machine.
    os.environ['LOOM_NETWORK_GATEWAY_PORT'] = '0'
    yield
    if before is None:
        del os.environ['ROS_DOMAIN_ID']
    else:
        os.environ['ROS_DOMAIN_ID'] = before


@pytest.fixture(scope='module')
def robot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One robot in the home, shared by the tests of a module; its output is shown when it does not come up."""
    from loom.ros.launched import launched_robot
    output: Path = tmp_path_factory.mktemp('robot') / 'output'
    with output.open('wb') as file, launched_robot(output=file) as started:
        try:
            started.wait_active(90.0)
        except Exception:
            pytest.fail(output.read_text(errors='replace')[-5000:])
        yield started


@pytest.fixture(scope='session')
def table() -> Path:
    """The table of processes as it is installed."""
    from ament_index_python.packages import get_package_share_directory
    return Path(get_package_share_directory('loom')) / 'config' / 'processes.yaml'
