"""The robot's sensor topics as plain readings for the rules of salience."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sensor_msgs.msg import BatteryState, CameraInfo, Image, Imu
from std_msgs.msg import Bool

from loom.core.clock import wall_ns
from loom.core.delivery import SENSOR, STATE
from loom.core.trace import handling
from loom.ros.convert import stamp_to_ns
from loom.ros.node import LoomNode
from loom.ros.observation import Observations
from loom.sense.pace import Pace
from loom.sense.pictures import Lens, depth_from, picture_from
from loom.sense.watch import Finding, Watch

PICTURE, DEPTH = 'camera/front/image_raw', 'camera/front/depth/image_raw'


class Senses:
    """Feeds a Watch from topics, pictures at a reduced rate; calls `tell` with each finding."""

    def __init__(self, node: LoomNode, watch: Watch, picture_rate_hz: float,
                 tell: Callable[[Finding], None]) -> None:
        self.counts: Counter[str] = Counter()
        self._node, self._watch, self._tell = node, watch, tell
        self._lens: Lens | None = None
        self._pace = Pace(picture_rate_hz)
        self._waiting: Image | None = None
        self._waiting_since_ns = 0
        self._observations = Observations(node)
        self._depth: Image | None = None
        node.subscribe(CameraInfo, 'camera/front/camera_info', self._on_info, SENSOR)
        node.subscribe(Image, DEPTH, self._on_depth, SENSOR)
        node.subscribe(Image, PICTURE, self._on_picture, SENSOR)
        node.subscribe(Imu, 'imu/data_raw', self._on_imu, SENSOR)
        node.subscribe(BatteryState, 'battery_state', self._on_battery, SENSOR)
        node.subscribe(Bool, 'bumper', self._on_bumper, STATE)

    def _on_info(self, info: CameraInfo) -> None:
        k = info.k
        if k[0] > 0 and k[4] > 0:
            self._lens = Lens(float(k[0]), float(k[4]), float(k[2]), float(k[5]))

    def _on_depth(self, image: Image) -> None:
        self._depth = image
        if self._waiting is not None and image.header.stamp == self._waiting.header.stamp:
            self._look()

    def _on_picture(self, image: Image) -> None:
        if self._waiting is not None:
            self._look()  # its depth did not come before the next picture
        if self._lens is None or not self._pace.due(stamp_to_ns(image.header.stamp)):
            return
        self._waiting, self._waiting_since_ns = image, wall_ns()
        if self._depth is not None and self._depth.header.stamp == image.header.stamp:
            self._look()

    def _look(self) -> None:
        """The picture that waits, with the depth of the same moment if it has come."""
        image, self._waiting = self._waiting, None
        if image is None or self._lens is None:
            return
        self.counts['pictures'] += 1
        with self._observing(PICTURE, image, self._waiting_since_ns):
            self._look_at(image, self._lens)

    def _look_at(self, image: Image, lens: Lens) -> None:
        stamp_ns, depth = stamp_to_ns(image.header.stamp), self._depth
        if depth is not None and depth.header.stamp == image.header.stamp:
            self.counts['depths'] += 1
            metres = depth_from(depth.data, depth.encoding, depth.height, depth.width, depth.step)
            self._tell_all(self._watch.depth(metres, lens, stamp_ns, self._node.resolve_topic_name(DEPTH)))
        picture = picture_from(image.data, image.encoding, image.height, image.width, image.step,
                               stamp_ns=stamp_ns, frame=image.header.frame_id)
        self._tell_all(self._watch.picture(picture, lens, self._node.resolve_topic_name(PICTURE)))

    def _on_imu(self, imu: Imu) -> None:
        pull = imu.linear_acceleration
        self._tell_of('imu/data_raw', imu, self._watch.acceleration(pull.x, pull.y, stamp_to_ns(imu.header.stamp)))

    def _on_battery(self, battery: BatteryState) -> None:
        self._tell_of('battery_state', battery,
                      self._watch.charge(battery.percentage, stamp_to_ns(battery.header.stamp)))

    def _on_bumper(self, pressed: Bool) -> None:
        self._tell_all(self._watch.contact(pressed.data, self._node.clock_source.now_ns()))

    def _tell_of(self, topic: str, message: Any, findings: Sequence[Finding]) -> None:
        if findings:
            with self._observing(topic, message, wall_ns()):
                self._tell_all(findings)

    def _observing(self, topic: str, message: Any, arrived_ns: int) -> handling:
        seen = self._observations.event(topic, message.header, arrived_ns)
        return handling(f'loom.{self._node.get_name()}.look', seen.traceparent, about=topic, cause=seen)

    def _tell_all(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self._tell(finding)
