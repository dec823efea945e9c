"""A camera that is not there: the others work, the reason is told everywhere, and in the end it is given up."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).resolve().parent))
from scene import Scene, scene

# As the table says: more failures than this within a minute, and a node is given up.
RESTARTS = 5
GIVEN_UP_S = 30.0
REASON = 'nothing_here'
Until = Callable[..., None]


@pytest.fixture(scope='module')
def robot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp('robot')
    with scene(folder, 'sim:=none', wait=False, LOOM_CAMERA_SOURCE='video', LOOM_CAMERA_PATH=f'/{REASON}') as started:
        yield started


@pytest.fixture(scope='module')
def told(robot: Scene) -> dict[str, list[Any]]:
    """What comes on the topics where people look for faults."""
    from diagnostic_msgs.msg import DiagnosticArray
    from rcl_interfaces.msg import Log

    from loom.core.delivery import STANDARD
    from loom.ros.qos import subscription_profile
    found: dict[str, list[Any]] = {'diagnostics': [], 'rosout': []}
    node = robot.robot.client.node
    profile = subscription_profile(STANDARD)
    node.create_subscription(DiagnosticArray, '/diagnostics', lambda m: found['diagnostics'].extend(m.status), profile)
    node.create_subscription(Log, '/rosout', found['rosout'].append, profile)
    return found


def test_while_it_fails_the_reason_is_told(robot: Scene, told: dict[str, list[Any]], until: Until) -> None:
    until(lambda: robot.reports and re.search(rf'camera is unconfigured: .*{REASON}', robot.health.message),
          'health tells nothing', GIVEN_UP_S)
    until(lambda: any(s.name.startswith('camera') and s.level == b'\x02' and REASON in s.message
                      for s in list(told['diagnostics'])), 'the diagnostics tell nothing', GIVEN_UP_S)
    until(lambda: any(line.name == 'camera' and REASON in line.msg for line in list(told['rosout'])),
          'rosout tells nothing', GIVEN_UP_S)


def test_in_the_end_it_is_given_up_and_the_robot_goes_on(robot: Scene, until: Until) -> None:
    from loom_msgs.msg import Health
    until(lambda: robot.reports and robot.health.mode == 'active', 'the robot never went on without it', GIVEN_UP_S)
    assert robot.health.level == Health.DEGRADED and REASON in robot.health.message
    states = dict(zip(robot.health.nodes, robot.health.states, strict=True))
    assert states.pop('camera') == 'unconfigured' and set(states.values()) == {'active'}
    tries = robot.text.count('[camera]: configure failed')
    assert tries == RESTARTS + 1 and 'up without camera' in robot.text
    seen = len(robot.reports)
    until(lambda: len(robot.reports) > seen + 1, 'the supervisor does not report')
    assert robot.text.count('[camera]: configure failed') == tries, 'it was tried again'
