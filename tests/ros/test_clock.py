"""Stamps of the node clock as wall clock, on a robot and in simulation."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip('rclpy')

from builtin_interfaces.msg import Time
from rclpy.node import Node
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock

from loom.ros.clock import MAX_TICKS, WallTimes

Until = Callable[..., None]
MS = 1_000_000


def test_on_a_robot_a_stamp_is_the_wall_clock(ros: Any) -> None:
    times = WallTimes(ros.add(Node, 'camera').get_clock())
    assert times.wall_ns(1_700_000_000_123_456_789) == 1_700_000_000_123_456_789


def test_in_simulation_it_is_when_the_tick_came(ros: Any, until: Until) -> None:
    node = ros.add(Node, 'camera', parameter_overrides=[Parameter('use_sim_time', value=True)],
                   cli_args=['--ros-args', '-r', '/clock:=clock'])
    times, ticks = WallTimes(node.get_clock()), ros.add(Node, 'ticks').create_publisher(Clock, 'clock', 10)
    until(lambda: ticks.get_subscription_count())
    assert times.wall_ns(10 * MS) == 0
    marks = []
    for number in range(1, 4):
        marks.append(time.time_ns())
        ticks.publish(Clock(clock=Time(nanosec=number * 10 * MS)))
        until(lambda: node.get_clock().now().nanoseconds == number * 10 * MS)  # noqa: B023
    walls = [times.wall_ns(number * 10 * MS) for number in range(1, 4)]
    assert marks[0] <= walls[0] <= marks[1] <= walls[1] <= marks[2] <= walls[2] <= time.time_ns()
    assert times.wall_ns(24 * MS) == walls[1] + 4 * MS
    assert times.wall_ns(5 * MS) == 0 and times.wall_ns(900 * MS) == 0
    for number in range(4, MAX_TICKS + 10):
        ticks.publish(Clock(clock=Time(sec=number // 100, nanosec=number % 100 * 10 * MS)))
        until(lambda: node.get_clock().now().nanoseconds == number * 10 * MS)  # noqa: B023
    assert times.wall_ns(10 * MS) == 0
