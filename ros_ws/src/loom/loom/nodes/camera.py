"""camera: a device or a video file becomes ROS images; every source gets a health check and JPEG pictures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from loom.core.config import NodeConfig
from loom.ros.camera_feed import CameraFeed
from loom.ros.node import ERROR, OK, WARN, LoomNode, Part
from loom.ros.process import run
from loom.sense.camera import Grabber, VideoSource
from loom.sense.pictures import Picture


class CameraConfig(NodeConfig):
    """Settings of the front camera."""

    source: Literal['topic', 'video'] = Field('topic', description='topic: another node publishes; video: path.')
    path: str = Field('/dev/video0', min_length=1, description='V4L2 device or video file.')
    width: int = Field(320, ge=16, le=4096, description='Columns asked of a device.')
    height: int = Field(240, ge=16, le=4096, description='Rows asked of a device.')
    rate_hz: float = Field(15.0, gt=0, le=120, description='Pictures a second.')
    horizontal_fov_rad: float = Field(1.2, gt=0.1, le=3.0, description='Opening angle of the lens.')
    frame: str = Field('camera_front_optical_frame', min_length=1, description='Optical frame of the pictures.')
    compressed_rate_hz: float = Field(5.0, gt=0, le=30, description='JPEG pictures a second while someone wants them.')
    jpeg_quality: int = Field(80, ge=1, le=100, description='Of the JPEG pictures.')


class Camera(LoomNode):
    """The front camera."""

    Config = CameraConfig
    config: CameraConfig

    def configure(self) -> None:
        """Opens the video once, so that a missing one is refused here."""
        self._video = self.config.source == 'video'
        self._feed = CameraFeed(self, self.config.compressed_rate_hz, self.config.jpeg_quality)
        if self._video:
            self._open().close()
            self._feed.publish_raw(self.config.frame, self.config.horizontal_fov_rad)
        else:
            self._feed.follow_raw()

    def activate(self) -> None:
        """Begins to read the video."""
        self._grabber = Grabber(self._open, self._on_picture, self.clock_source, self.config.frame)
        if self._video:
            self._grabber.start()

    def deactivate(self) -> None:
        """Lets go of the video."""
        self._grabber.stop()
        self._feed.close()

    def diagnose(self) -> Iterable[Part]:
        """Whether pictures come, and how fast."""
        rate_hz, fault = self._feed.rate_hz, self._grabber.fault if self._video else ''
        message = fault or ('no pictures come; is what publishes them active?' if rate_hz == 0 else '')
        level = ERROR if fault else WARN if message else OK
        yield Part('pictures', level, message, {'hz': f'{rate_hz:.1f}', 'lost': str(self._grabber.counts['lost'])})

    def _open(self) -> VideoSource:
        config = self.config
        return VideoSource(config.path, config.width, config.height, config.rate_hz)

    def _on_picture(self, picture: Picture) -> None:
        self.call_soon(lambda: self._feed.publish(picture))


def main() -> None:
    """Runs the node."""
    run(Camera)


if __name__ == '__main__':
    main()
