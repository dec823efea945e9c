"""From a camera picture's stamp to the cmd_vel that was decided with it, throughout the mission."""

from __future__ import annotations

import statistics
import time

from loom_msgs.msg import SafetyDecision
from robot import running_robot
from row import Row

from loom.core.delivery import STANDARD
from loom.ros.client import wait_for
from loom.ros.convert import stamp_to_ns
from loom.ros.qos import subscription_profile

DOMAIN = 73
MISSION_S = 240.0


def measure() -> list[Row]:
    """p50 and p99 over every decision of the safety kernel that moved the robot."""
    ages: list[float] = []

    def decided(message: SafetyDecision) -> None:
        origin = stamp_to_ns(message.origin)
        if origin and (message.commanded.linear.x or message.commanded.angular.z):
            ages.append((stamp_to_ns(message.stamp) - origin) / 1e6)
    with running_robot(DOMAIN, 'mission:=fetch_report') as (robot, _, _):
        robot.node.create_subscription(SafetyDecision, 'loom/motion/decision', decided, subscription_profile(STANDARD))
        results = robot.events('mission.result')
        begin = time.monotonic()
        wait_for(lambda: not results.empty(), MISSION_S, 'the mission had no result')
        seconds = time.monotonic() - begin
        result = results.get().data
    print(f'  {result["mission"]}: {"succeeded" if result["success"] else result["reason"]}, {len(ages)} decisions')
    ages.sort()
    return [Row('mission.success', float(result['success']), '', '>= 1'),
            Row('mission.duration_s', seconds, 's'),
            Row('mission.sense_to_act_p50_ms', statistics.median(ages), 'ms'),
            Row('mission.sense_to_act_p99_ms', ages[int(len(ages) * 0.99)], 'ms', '<= 200')]
