"""A video file through the same path as a camera."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from loom.core.clock import ManualClock, SystemClock
from loom.core.errors import DeviceError
from loom.sense.camera import Grabber, VideoSource
from loom.sense.pictures import Picture

Until = Callable[..., None]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / 'film.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 20.0, (64, 48))
    for shade in (50, 100, 150):
        writer.write(np.full((48, 64, 3), (0, 0, shade), np.uint8))
    writer.release()
    return path


def test_pictures_come_in_order_in_rgb_and_again(film: Path) -> None:
    source = VideoSource(str(film))
    clock = ManualClock(5)
    pictures = [source.read(clock, 'lens') for _ in range(4)]
    source.close()
    assert [round(int(p.pixels[20, 20, 0]) / 50) for p in pictures] == [1, 2, 3, 1]
    assert pictures[0].pixels.shape == (48, 64, 3) and pictures[0].stamp_ns == 5 and pictures[0].frame == 'lens'
    assert source.rate_hz == 20.0


def test_a_missing_camera_is_named() -> None:
    with pytest.raises(DeviceError, match="'/dev/video99' is not there; there are: "):
        VideoSource('/dev/video99')


def test_a_file_that_is_no_video_is_named(tmp_path: Path) -> None:
    path = tmp_path / 'text.avi'
    path.write_text('no video')
    with pytest.raises(DeviceError, match=r'text\.avi'):
        VideoSource(str(path)).read(SystemClock())


def test_it_comes_back_when_the_device_does(film: Path, until: Until) -> None:
    away = film.with_suffix('.away')
    film.rename(away)
    pictures: list[Picture] = []
    grabber = Grabber(lambda: VideoSource(str(film), rate_hz=100.0), pictures.append, SystemClock())
    grabber.start()
    until(lambda: grabber.counts['lost'])
    assert 'is not there' in grabber.fault
    away.rename(film)
    until(lambda: pictures, 'it does not come back')
    assert not grabber.fault
    grabber.stop()
    assert not grabber._thread.is_alive()
