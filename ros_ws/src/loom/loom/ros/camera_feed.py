"""A camera's topics: raw pictures with their intrinsics, and JPEG pictures while someone wants them."""

from __future__ import annotations

import array
from typing import Any

from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from loom.core.clock import wall_ns
from loom.core.delivery import SENSOR
from loom.core.trace import published
from loom.ros.convert import ns_to_stamp, stamp_to_ns
from loom.ros.node import LoomNode
from loom.ros.shared_subscription import SharedSubscription
from loom.ros.sim_convert import camera_info_message, image_message
from loom.sense.pace import Pace
from loom.sense.pictures import Picture, encode_jpeg, picture_from
from loom.sim.robot import Camera

RAW, INFO = 'camera/front/image_raw', 'camera/front/camera_info'
CHECK_S = 1.0


class CameraFeed:
    """Publishes a node's own pictures, or follows those that another node publishes."""

    def __init__(self, node: LoomNode, compressed_rate_hz: float, quality: int) -> None:
        self._node, self._quality = node, quality
        self._pace, self._health = Pace(compressed_rate_hz), Pace(1.0)
        self._jpeg = node.publisher(CompressedImage, f'{RAW}/compressed', SENSOR)
        self._raw: Any = None
        self._info: Any = None
        self._reader: Any = None
        self._frame, self._horizontal_fov = '', 0.0
        node.every(CHECK_S, self._check, steady=True)

    @property
    def rate_hz(self) -> float:
        """Pictures in the last second."""
        return self._health.measured_hz

    def publish_raw(self, frame: str, horizontal_fov: float) -> None:
        """The pictures are this node's own."""
        self._frame, self._horizontal_fov = frame, horizontal_fov
        self._raw = self._node.publisher(Image, RAW, SENSOR)
        self._info = self._node.publisher(CameraInfo, INFO, SENSOR)

    def follow_raw(self) -> None:
        """Another node publishes; the small camera_info tells whether it lives."""
        self._node.subscribe(CameraInfo, INFO, lambda _: self._health.arrived(), SENSOR)

    def publish(self, picture: Picture) -> None:
        """Publishes a picture of this node."""
        self._health.arrived()
        begin_ns = wall_ns()
        stamp = ns_to_stamp(picture.stamp_ns)
        height, width = picture.pixels.shape[:2]
        optics = Camera('', self._frame, width, height, self._horizontal_fov, 0.0, 0.0)
        self._raw.publish(image_message(picture.pixels, 'rgb8', self._frame, stamp))
        self._info.publish(camera_info_message(optics, stamp))
        published('loom.camera.publish', self._raw.topic_name, picture.stamp_ns, self._frame, begin_ns)
        if self._wanted() and self._pace.due(picture.stamp_ns):
            self._publish_jpeg(picture)

    def close(self) -> None:
        """Stops following."""
        if self._reader is not None:
            self._reader.destroy()
            self._reader = None

    def _wanted(self) -> bool:
        return bool(self._jpeg.get_subscription_count())

    def _check(self) -> None:
        self._health.count()
        wanted = self._raw is None and self._wanted()
        if wanted and self._reader is None:
            # Raw pictures are large: they are read only while someone looks at the small ones.
            self._reader = SharedSubscription(self._node, Image, RAW, self._on_image, SENSOR)
        elif not wanted:
            self.close()

    def _on_image(self, image: Image) -> None:
        stamp_ns = stamp_to_ns(image.header.stamp)
        if self._pace.due(stamp_ns):
            self._publish_jpeg(picture_from(image.data, image.encoding, image.height, image.width, image.step,
                                            stamp_ns=stamp_ns, frame=image.header.frame_id))

    def _publish_jpeg(self, picture: Picture) -> None:
        message = CompressedImage(format='rgb8; jpeg compressed bgr8')
        message.header.stamp, message.header.frame_id = ns_to_stamp(picture.stamp_ns), picture.frame
        message.data = array.array('B', encode_jpeg(picture.pixels, self._quality))
        self._jpeg.publish(message)
