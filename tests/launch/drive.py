"""Somebody who has the robot turn on the spot, and watches what its base and its safety kernel do about it."""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import Any, NamedTuple

from geometry_msgs.msg import Twist
from loom_msgs.msg import MotionProposal, SafetyDecision
from nav_msgs.msg import Odometry

from loom.core.delivery import COMMAND, SENSOR, STANDARD
from loom.ros.client import RobotClient
from loom.ros.convert import ns_to_stamp, stamp_to_ns
from loom.ros.qos import publisher_profile, subscription_profile

TURN_RAD_S = 0.8
PERIOD_S = 0.05
WORTH_NS = 400_000_000
# Between these the base speeds up or brakes.
STANDING, TURNING = 0.02, 0.7
NEVER = float('inf')


class Seen(NamedTuple):
    """A turning rate at a time of the simulated world."""

    at_s: float
    turn: float


class Drive:
    """Proposes the motion ten times faster than it expires, in a thread of its own, until the end of the block."""

    def __init__(self, client: RobotClient, propose: bool = True) -> None:
        self.seen: list[Seen] = []
        self.code = 0
        self._client = client
        self._propose = propose
        self._marked = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Drive:
        node = self._client.node
        self._readers = [
            node.create_subscription(Odometry, 'odom', self._see, subscription_profile(SENSOR)),
            node.create_subscription(SafetyDecision, 'loom/motion/decision', self._decided,
                                     subscription_profile(STANDARD))]
        self._proposals = node.create_publisher(MotionProposal, 'loom/motion/proposed', publisher_profile(COMMAND))
        if self._propose:
            self._client.follow_clock()
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._propose:
            self._thread.join(5.0)
        for reader in self._readers:
            self._client.node.destroy_subscription(reader)
        self._client.node.destroy_publisher(self._proposals)

    def turning(self) -> bool:
        """Whether the base has its full speed."""
        return bool(self.seen) and self.seen[-1].turn > TURNING

    def standing(self) -> bool:
        """Whether the base does not move."""
        return bool(self.seen) and abs(self.seen[-1].turn) < STANDING

    def mark(self) -> None:
        """From now on stood_s() and starts() look."""
        self._marked = len(self.seen) - 1

    def stood_s(self) -> float:
        """Simulated seconds from the mark until the base stood."""
        since = self.seen[self._marked:]
        return next((seen.at_s - since[0].at_s for seen in since if abs(seen.turn) < STANDING), NEVER)

    def starts(self) -> int:
        """How often the base began to move since the mark."""
        return sum(abs(a.turn) < STANDING <= abs(b.turn) for a, b in pairwise(self.seen[self._marked:]))

    def _run(self) -> None:
        sequence = 0
        while not self._ended.wait(PERIOD_S):
            sequence += 1
            message = MotionProposal(stamp=ns_to_stamp(self._client.clock.now_ns()), agent='driver', lane=10,
                                     sequence=sequence, twist=turn(TURN_RAD_S))
            message.time_to_live.nanosec = WORTH_NS
            self._proposals.publish(message)

    def _see(self, message: Any) -> None:
        self.seen.append(Seen(stamp_to_ns(message.header.stamp) / 1e9, message.twist.twist.angular.z))

    def _decided(self, message: Any) -> None:
        self.code = message.code


def turn(rad_s: float) -> Twist:
    """A motion on the spot."""
    message = Twist()
    message.angular.z = rad_s
    return message
