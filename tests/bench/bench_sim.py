"""Rates and real-time factor of the simulated robot while everything runs, for a minute."""

from __future__ import annotations

import time
from typing import Any

from nav_msgs.msg import Odometry
from robot import cpu_s, running_robot
from rosgraph_msgs.msg import Clock
from row import Row
from sensor_msgs.msg import Image, Imu, LaserScan

from loom.core.delivery import SENSOR
from loom.ros.client import wait_for
from loom.ros.convert import stamp_to_ns
from loom.ros.qos import subscription_profile

SECONDS = 60.0
DOMAIN = 72
TOPICS = {'camera': (Image, 'camera/front/image_raw', '>= 15'), 'scan': (LaserScan, 'scan', '>= 10'),
          'odom': (Odometry, 'odom', '>= 50'), 'imu': (Imu, 'imu/data_raw', '>= 50'), 'clock': (Clock, 'clock', '')}


def measure() -> list[Row]:
    """Messages received a second, simulated seconds a second, CPU of the whole robot."""
    with running_robot(DOMAIN) as (robot, pid, _):
        counts = dict.fromkeys(TOPICS, 0)
        newest = [0]

        def counter(name: str) -> Any:
            def count(message: Any) -> None:
                counts[name] += 1
                if name == 'clock':
                    newest[0] = stamp_to_ns(message.clock)
            return count
        for name, (kind, topic, _) in TOPICS.items():
            robot.node.create_subscription(kind, topic, counter(name), subscription_profile(SENSOR))
        wait_for(lambda: all(counts.values()), 10.0, 'a topic is silent')
        start = (time.monotonic(), newest[0], dict(counts), cpu_s(pid))
        time.sleep(SECONDS)
        wall = time.monotonic() - start[0]
        simulated = (newest[0] - start[1]) / 1e9
        rates = {name: (counts[name] - start[2][name]) / wall for name in TOPICS}
        cores = (cpu_s(pid) - start[3]) / wall
    rows = [Row(f'sim.{name}_hz', round(rates[name], 2), 'Hz', bound) for name, (_, _, bound) in TOPICS.items()]
    return [*rows, Row('sim.rtf', simulated / wall, '', '>= 0.95'), Row('sim.cpu_cores', cores, 'cores')]
