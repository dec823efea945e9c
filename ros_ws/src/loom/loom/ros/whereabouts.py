"""Where the robot is and which places have names, for nodes that need no more of its body."""

from __future__ import annotations

import json
import math

from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from loom.core.clock import NANOSECONDS
from loom.core.delivery import STATE
from loom.core.errors import DeviceError
from loom.ros.body import MANY_LATCHED, NEWEST_TRANSFORMS
from loom.ros.frames import Frames
from loom.ros.node import LoomNode
from loom.ros.range_scan import BASE

FRESH_S = 1.0
Pose = tuple[float, float, float]


class Whereabouts:
    """Made in `configure`, hears while its node is active."""

    def __init__(self, node: LoomNode) -> None:
        self.places: dict[str, Pose] = {}
        self._clock = node.clock_source
        self._frames = Frames()
        node.subscribe(TFMessage, 'tf', self._frames.take, NEWEST_TRANSFORMS)
        node.subscribe(TFMessage, 'tf_static', self._frames.take, MANY_LATCHED)
        node.subscribe(String, 'loom/places', self._learn, STATE)

    def pose(self) -> Pose | None:
        """x, y in metres and yaw in radians, in the map; None where that is unknown or older than a second."""
        if self._clock.now_ns() - self._frames.stamp_ns(BASE) > FRESH_S * NANOSECONDS:
            return None
        try:
            matrix = self._frames.lookup('map', BASE)
        except DeviceError:
            return None
        return float(matrix[0, 3]), float(matrix[1, 3]), math.atan2(matrix[1, 0], matrix[0, 0])

    def _learn(self, message: String) -> None:
        self.places = {name: (float(x), float(y), float(yaw)) for name, (x, y, yaw) in json.loads(message.data).items()}
