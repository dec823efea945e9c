"""From a camera picture's stamp to the cmd_vel that was decided with it, in wall time, throughout the mission."""

from __future__ import annotations

import math
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from loom_msgs.msg import SafetyDecision
from nav_msgs.msg import Odometry
from picture import draw
from robot import running_robot
from rosgraph_msgs.msg import Clock
from row import Row
from sensor_msgs.msg import Image

from loom.core.delivery import SENSOR, STANDARD
from loom.ros.client import wait_for
from loom.ros.convert import stamp_to_ns
from loom.ros.qos import subscription_profile
from loom.ros.sim_files import world_path
from loom.ros.simulation_client import SimulationClient
from loom.sim.pose import Pose
from loom.sim.world import read_world

DOMAIN = 73
MISSION_S = 240.0
ROBOT = 'loom_bot'
PLACE = 'kitchen'
PICTURE = Path(__file__).parents[2] / 'build' / 'bench' / 'mission.png'


class Witness:
    """Looks on: decisions of the safety kernel, the way, the newest picture."""

    def __init__(self, node: Any) -> None:
        self.ages_ms: list[float] = []
        self._begun_s: dict[int, float] = {}
        self.track: list[tuple[float, float]] = []
        self.image: Image | None = None
        for kind, topic, callback, delivery in (
                (Clock, 'clock', self._ticked, STANDARD),
                (SafetyDecision, 'loom/motion/decision', self._decided, STANDARD),
                (Odometry, 'odom', self._moved, SENSOR), (Image, 'camera/front/image_raw', self._saw, SENSOR)):
            node.create_subscription(kind, topic, callback, subscription_profile(delivery))

    def _decided(self, message: SafetyDecision) -> None:
        # The kernel publishes cmd_vel and its decision in one breath; what stands still is no action.
        begun_s = self._begun_s.get(stamp_to_ns(message.origin))
        if begun_s is not None and (message.commanded.linear.x or message.commanded.angular.z):
            self.ages_ms.append((time.monotonic() - begun_s) * 1e3)

    def _ticked(self, message: Clock) -> None:
        # A picture bears the time of the tick in which it is taken: this is when that was on the wall.
        self._begun_s[stamp_to_ns(message.clock)] = time.monotonic()

    def _moved(self, message: Odometry) -> None:
        self.track.append((message.pose.pose.position.x, message.pose.pose.position.y))

    def _saw(self, message: Image) -> None:
        self.image = message


def measure() -> list[Row]:
    """p50 and p99 over every decision that moved the robot, and where the simulator says that it ended."""
    with running_robot(DOMAIN, 'mission:=fetch_report') as (robot, _, _):
        witness = Witness(robot.node)
        results = robot.events('mission.result')
        begin = time.monotonic()
        wait_for(lambda: not results.empty(), MISSION_S, 'the mission had no result')
        seconds, result = time.monotonic() - begin, results.get().data
        pose = SimulationClient(robot.node).pose(ROBOT)
    print(f'  {result["mission"]}: {"succeeded" if result["success"] else result["reason"]}')
    world = read_world(world_path('home'))
    place, start = world.places[PLACE], world.spawn
    if witness.image is not None:
        pixels = np.frombuffer(witness.image.data, np.uint8).reshape(witness.image.height, witness.image.width, 3)
        track = [(start @ Pose((x, y, 0.0))).position[:2] for x, y in witness.track]
        draw(pose, pixels, track, result['report'], PICTURE)
    ages = sorted(witness.ages_ms)
    return [Row('mission.success', float(result['success']), '', '>= 1'),
            Row('mission.duration_s', seconds, 's'),
            Row('mission.place_error_m', math.dist(pose.position[:2], place[:2]), 'm', '<= 0.5'),
            Row('mission.sense_to_act_p50_ms', statistics.median(ages), 'ms'),
            Row('mission.sense_to_act_p99_ms', ages[int(len(ages) * 0.99)], 'ms', '<= 200')]
