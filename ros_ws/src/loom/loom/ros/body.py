"""The robot's body on ROS topics, as agents see it."""

from __future__ import annotations

import asyncio
import json
import math
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped
from loom_msgs.msg import MotionProposal, SafetyDecision
from nav_msgs.msg import OccupancyGrid, Path
from sensor_msgs.msg import CameraInfo, Image, LaserScan
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from loom.act.body import Floats, Grid, Motion, Pose2D, Relief, Scan, Sight
from loom.act.relief import obstacles
from loom.act.safety import EMERGENCY_STOP, FOREIGN_PUBLISHER
from loom.core.clock import NANOSECONDS, wall_ns
from loom.core.delivery import COMMAND, SENSOR, STANDARD, STATE, TRANSFORM
from loom.core.errors import DeviceError
from loom.core.event import Event
from loom.core.trace import cause, trace_headers
from loom.ros.convert import ns_to_stamp, stamp_to_ns
from loom.ros.frames import Frames
from loom.ros.motion import hop_messages
from loom.ros.node import LoomNode
from loom.ros.observation import Observations
from loom.ros.range_scan import BASE, scan_of
from loom.sense.pictures import Lens, depth_from, picture_from

# Several nodes latch static frames: with a depth of 1 one would hide the others.
MANY_LATCHED = replace(STATE, depth=32)
# A reliable reader would hold back all newer transforms until a lost one is sent again, which takes seconds.
NEWEST_TRANSFORMS = replace(TRANSFORM, subscribe_reliable=False)
WORTH_NS = 400_000_000
ANSWERED = 64
HALTED = (EMERGENCY_STOP, FOREIGN_PUBLISHER)
SCAN_S, POSE_S, DEPTH_S, PICTURE_S = 0.5, 0.5, 0.7, 1.0


class RosBody:
    """Keeps the newest message of each sense; made in `configure`, hears while its node is active."""

    def __init__(self, node: LoomNode) -> None:
        self._clock = node.clock_source
        self._frames = Frames()
        self._newest: dict[str, Any] = {}
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._sequence = 0
        self._relief = Relief(np.zeros((0, 2)), 0)
        self._observations = Observations(node)
        self._depth_arrived = (0, 0)
        # What proposals react to: the depth picture in use, and the events whose first proposal was made.
        self._seen: Event | None = None
        self._answered: deque[str] = deque(maxlen=ANSWERED)
        self._proposals = node.publisher(MotionProposal, 'loom/motion/proposed', COMMAND)
        self._paths = node.publisher(Path, 'plan', STATE)
        node.subscribe(TFMessage, 'tf', self._frames.take, NEWEST_TRANSFORMS)
        node.subscribe(TFMessage, 'tf_static', self._frames.take, MANY_LATCHED)
        for kind, topic, delivery in (
                (LaserScan, 'scan', SENSOR), (OccupancyGrid, 'map', STATE), (String, 'loom/places', STATE),
                (Image, 'camera/front/image_raw', SENSOR), (CameraInfo, 'camera/front/camera_info', SENSOR)):
            node.subscribe(kind, topic, self._keeper(topic), delivery)
        node.subscribe(SafetyDecision, 'loom/motion/decision', self._keeper('decision'), STANDARD)
        node.subscribe(Image, 'camera/front/depth/image_raw', self._on_depth, SENSOR)

    def pose(self) -> Pose2D:
        """Where the robot is in the map."""
        matrix, stamp_ns = self._frames.lookup('map', BASE), self._frames.stamp_ns(BASE)
        self._check_age('odometry', stamp_ns, POSE_S)
        return Pose2D(float(matrix[0, 3]), float(matrix[1, 3]), math.atan2(matrix[1, 0], matrix[0, 0]), stamp_ns)

    def scan(self) -> Scan:
        """What the lidar sees."""
        return scan_of(self._fresh('scan', SCAN_S), self._frames)

    def relief(self) -> Relief:
        """What the depth camera sees in the way; no points where no depth camera ever sent."""
        topic = 'camera/front/depth/image_raw'
        if topic not in self._newest or 'camera/front/camera_info' not in self._newest:
            return self._relief
        message: Image = self._fresh(topic, DEPTH_S)
        stamp_ns = stamp_to_ns(message.header.stamp)
        if stamp_ns != self._relief.stamp_ns:
            to_base = self._frames.lookup(BASE, message.header.frame_id)
            known_ns, came_ns = self._depth_arrived
            arrived_ns = came_ns if known_ns == stamp_ns else wall_ns()
            self._seen = self._observations.event(topic, message.header, arrived_ns)
            self._relief = Relief(obstacles(_depths(message), self._lens(), to_base), stamp_ns)
        return self._relief

    def grid(self) -> Grid:
        """The known map."""
        message: OccupancyGrid = self._latest('map')
        info = message.info
        cells = np.asarray(message.data, dtype=np.int8).reshape(info.height, info.width)
        return Grid(cells, float(info.resolution), info.origin.position.x, info.origin.position.y)

    def places(self) -> dict[str, tuple[float, float, float]]:
        """Named places: (x, y, yaw) in the map."""
        return {name: (float(x), float(y), float(yaw))
                for name, (x, y, yaw) in json.loads(self._latest('loom/places').data).items()}

    def sight(self) -> Sight:
        """What the front camera sees, with depth where there is any."""
        image: Image = self._fresh('camera/front/image_raw', PICTURE_S)
        picture = picture_from(image.data, image.encoding, image.height, image.width, image.step,
                               stamp_ns=stamp_to_ns(image.header.stamp), frame=image.header.frame_id)
        depth = self._newest.get('camera/front/depth/image_raw')
        return Sight(picture, self._lens(), None if depth is None else _depths(depth))

    def propose(self, motion: Motion) -> None:
        """Asks the safety kernel for a motion; it is worth 0.4 s."""
        self._sequence += 1
        message = MotionProposal(
            stamp=ns_to_stamp(self._clock.now_ns()), origin=ns_to_stamp(motion.origin_ns), agent=motion.agent,
            intent=motion.intent, sequence=self._sequence, lane=motion.lane, traceparent=trace_headers()[0],
            sent_ns=wall_ns())
        reason = self._reason(motion)
        if reason is not None:
            message.origin_ns = reason.origin_ns
            message.path = hop_messages((*reason.path, reason.hop(motion.agent, message.sent_ns)))
        message.time_to_live.nanosec = WORTH_NS
        message.twist.linear.x, message.twist.angular.z = float(motion.linear), float(motion.angular)
        self._proposals.publish(message)

    def halted(self) -> str:
        """Why the safety kernel lets nothing move; empty where it does."""
        decision = self._newest.get('decision')
        return str(decision.reason) if decision is not None and decision.code in HALTED else ''

    def show_path(self, points: Floats) -> None:
        """Publishes the planned way, (n, 2) in the map, as `plan`."""
        path = Path()
        path.header.frame_id, path.header.stamp = 'map', ns_to_stamp(self._clock.now_ns())
        for x, y in points:
            pose = PoseStamped(header=path.header)
            pose.pose.position.x, pose.pose.position.y, pose.pose.orientation.w = float(x), float(y), 1.0
            path.poses.append(pose)
        self._paths.publish(path)

    async def look(self, timeout_s: float) -> None:
        """Waits for a newer depth picture, at most `timeout_s` seconds."""
        waiter = (asyncio.get_running_loop(), asyncio.Event())
        self._waiting.append(waiter)
        try:
            await asyncio.wait_for(waiter[1].wait(), timeout_s)
        except asyncio.TimeoutError:
            pass
        finally:
            self._waiting.remove(waiter)

    def _reason(self, motion: Motion) -> Event | None:
        """What the motion reacts to; of an event only the first motion does, later ones only go on."""
        if self._seen is not None and motion.origin_ns == self._seen.stamp_ns:
            return self._seen
        event: Event | None = cause()
        if event is None or event.id in self._answered:
            return None
        self._answered.append(event.id)
        return event

    def _keeper(self, topic: str) -> Callable[[Any], None]:
        def keep(message: Any) -> None:
            self._newest[topic] = message
        return keep

    def _on_depth(self, message: Image) -> None:
        self._newest['camera/front/depth/image_raw'] = message
        self._depth_arrived = stamp_to_ns(message.header.stamp), wall_ns()
        for loop, event in list(self._waiting):
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    def _lens(self) -> Lens:
        k = self._latest('camera/front/camera_info').k
        return Lens(k[0], k[4], k[2], k[5])

    def _latest(self, topic: str) -> Any:
        if topic not in self._newest:
            raise DeviceError(f'nothing has come on {topic!r} yet; is its node active?')
        return self._newest[topic]

    def _fresh(self, topic: str, most_s: float) -> Any:
        message = self._latest(topic)
        self._check_age(topic, stamp_to_ns(message.header.stamp), most_s)
        return message

    def _check_age(self, what: str, stamp_ns: int, most_s: float) -> None:
        age_s = (self._clock.now_ns() - stamp_ns) / NANOSECONDS
        if age_s > most_s:
            raise DeviceError(f'{what} must be at most {most_s:g} s old, it is {age_s:.2f} s; is its node active?')


def _depths(message: Image) -> Any:
    return depth_from(message.data, message.encoding, message.height, message.width, message.step)
