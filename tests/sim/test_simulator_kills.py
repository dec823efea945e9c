"""The simulator is killed while the robot drives: the world goes on where it was, and time never goes back."""

from __future__ import annotations

import itertools
import math
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy')

from forked_node import Nursery
from geometry_msgs.msg import Twist
from nav_msgs.msg import Odometry
from rclpy.clock import Clock as RclpyClock
from rclpy.clock import ClockType
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image

from loom.ros.convert import stamp_to_ns
from loom.ros.simulation_client import SimulationClient
from loom.sim.shape import World

Until = Callable[..., None]
KILLS = 10
SPEED_M_S, TURN_RAD_S = 0.3, 0.9


class Driver:
    """Has the robot drive in circles, and writes down what it hears."""

    def __init__(self, ros: Any) -> None:
        self.clock: list[int] = []
        self.odometry: list[Odometry] = []
        node: Node = ros.add(Node, 'watcher')
        node.create_subscription(Clock, 'clock', lambda m: self.clock.append(stamp_to_ns(m.clock)),
                                 qos_profile_sensor_data)
        node.create_subscription(Odometry, 'odom', self.odometry.append, qos_profile_sensor_data)
        self.pictures: list[int] = []
        node.create_subscription(Image, 'camera/front/image_raw',
                                 lambda m: self.pictures.append(stamp_to_ns(m.header.stamp)), qos_profile_sensor_data)
        self._commands = node.create_publisher(Twist, 'cmd_vel', 1)
        self.driving = False
        node.create_timer(0.05, self._command, clock=RclpyClock(clock_type=ClockType.STEADY_TIME))
        self.client = SimulationClient(node)

    def _command(self) -> None:
        command = Twist()
        command.linear.x, command.angular.z = SPEED_M_S, TURN_RAD_S
        if self.driving:
            self._commands.publish(command)


@pytest.fixture
def nursery(ros: Any, sim_folder: Path, tmp_path: Path) -> Iterator[Nursery]:
    nursery = Nursery('simulator', ros.namespace, tmp_path / 'log', use_sim_time=True, resume=tmp_path / 'state',
                      world=sim_folder / 'worlds' / 'home.sdf', robot=sim_folder / 'robots' / 'loom_bot.urdf')
    yield nursery
    nursery.close()


def place(odometry: Odometry) -> tuple[float, float, float]:
    """x, y and heading."""
    pose, turned = odometry.pose.pose, odometry.pose.pose.orientation
    return pose.position.x, pose.position.y, 2 * math.atan2(turned.z, turned.w)


def check_path(path: list[Odometry]) -> None:
    """No step is longer or turns further than the speed allows in the time between."""
    for before, after in itertools.pairwise(path):
        passed_s = (stamp_to_ns(after.header.stamp) - stamp_to_ns(before.header.stamp)) / 1e9
        (x, y, yaw), (next_x, next_y, next_yaw) = place(before), place(after)
        assert math.hypot(next_x - x, next_y - y) <= SPEED_M_S * passed_s + 0.005, (before, after)
        assert abs(math.remainder(next_yaw - yaw, math.tau)) <= TURN_RAD_S * passed_s * 1.2 + 0.01, (before, after)


def test_the_world_goes_on_after_ten_kills(nursery: Nursery, ros: Any, home: World, until: Until) -> None:
    driver, simulator = Driver(ros), nursery.start()
    until(lambda: len(driver.odometry) > 10, 'the first simulator is silent', 20.0)
    driver.driving = True
    dice = random.Random(4)
    gaps: list[float] = []
    for _ in range(KILLS):
        goal = len(driver.clock) + dice.randrange(1, 120)
        until(lambda goal=goal: len(driver.clock) >= goal, 'the clock stands still')
        killed_s = time.monotonic()
        nursery.kill(simulator, until)
        simulator, heard, seen = nursery.start(), len(driver.clock), len(driver.odometry)
        until(lambda heard=heard, seen=seen: len(driver.clock) > heard + 3 and len(driver.odometry) > seen,
              'the next simulator is silent')
        gaps.append(time.monotonic() - killed_s)
    driver.driving, seen = False, len(driver.pictures)
    until(lambda: len(driver.pictures) > seen, 'the camera is dark')
    until(lambda: abs(driver.odometry[-1].twist.twist.linear.x) < 1e-3, 'the robot stops')
    for stamps in (driver.clock, driver.pictures):
        assert stamps == sorted(stamps), 'the clock went back'
    assert nursery.log.count('the world goes on at') == KILLS
    assert max(gaps) < 3.0, f'a new simulator was late: {sorted(gaps)}'
    check_path(driver.odometry)
    # What the wheels counted still agrees with where the robot is.
    x, y, yaw = place(driver.odometry[-1])
    true = home.spawn.inverse() @ driver.client.pose('loom_bot')
    assert (x, y) == pytest.approx(true.position[:2], abs=0.05)
    assert math.remainder(yaw - true.yaw, math.tau) == pytest.approx(0.0, abs=0.05)
    assert sum(math.hypot(b[0] - a[0], b[1] - a[1]) for a, b in itertools.pairwise(map(place, driver.odometry))) > 0.5
