"""Pictures from a V4L2 device or a video file, read by a thread that comes back with the device (a door of cv2)."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from loom.core.clock import Clock
from loom.core.errors import DeviceError
from loom.sense.pictures import Picture
from loom.sense.reconnect import Backoff

STOP_DEADLINE_S = 1.5
DEFAULT_FILE_HZ = 15.0


class VideoSource:
    """An open device (/dev/video0) or file; a file starts again at its end."""

    def __init__(self, path: str, width: int = 0, height: int = 0, rate_hz: float = 0.0) -> None:
        """Width, height and rate are asked of a device, 0 leaves them to it; a file has its own size."""
        if not os.path.exists(path):
            raise DeviceError(f'a camera must be a device or a video file, {path!r} is not there; '
                              f'there are: {", ".join(devices()) or "no devices"}')
        self.path, self.is_file = path, os.path.isfile(path)
        self._capture: Any = cv2.VideoCapture(path, cv2.CAP_ANY if self.is_file else cv2.CAP_V4L2)
        if not self._capture.isOpened():
            raise DeviceError(f'{path!r} must be a camera or a video that this machine can decode, and is neither '
                              'or is in use by another program')
        if not self.is_file:
            self._ask(width, height, rate_hz)
        measured = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.rate_hz = rate_hz or (measured if 0.0 < measured <= 1000.0 else DEFAULT_FILE_HZ)

    def read(self, clock: Clock, frame: str = '') -> Picture:
        """The next picture, stamped when it arrived; DeviceError where none comes."""
        done, pixels = self._capture.read()
        if not done and self.is_file:
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
            done, pixels = self._capture.read()
        stamp_ns = clock.now_ns()
        if not done or pixels is None:
            raise DeviceError(f'{self.path!r} gives no more pictures; is it unplugged?')
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise DeviceError(f'{self.path!r} must give 8 bit colour pictures, got {pixels.dtype} {pixels.shape}')
        return Picture(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8), stamp_ns, frame)

    def close(self) -> None:
        """Lets go of the device."""
        self._capture.release()

    def _ask(self, width: int, height: int, rate_hz: float) -> None:
        for name, key, wanted in (('width', cv2.CAP_PROP_FRAME_WIDTH, width), ('rate_hz', cv2.CAP_PROP_FPS, rate_hz),
                                  ('height', cv2.CAP_PROP_FRAME_HEIGHT, height)):
            if not wanted:
                continue
            self._capture.set(key, wanted)
            got = self._capture.get(key)
            if key != cv2.CAP_PROP_FPS and round(got) != wanted:
                self.close()
                raise DeviceError(f'{name} must be one that {self.path!r} offers, got {wanted}; it gives {got:.0f}')


def devices() -> list[str]:
    """The cameras of this machine."""
    return sorted(f'/dev/{name}' for name in os.listdir('/dev') if name.startswith('video'))


class Grabber:
    """Calls `on_picture` from its own thread with each picture of a source that it opens and opens again."""

    def __init__(self, open_source: Callable[[], VideoSource], on_picture: Callable[[Picture], None],
                 clock: Clock, frame: str = '') -> None:
        self.counts: Counter[str] = Counter()
        self.fault = 'starting'
        self._open_source, self._on_picture, self._clock, self._frame = open_source, on_picture, clock, frame
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name='grabber', daemon=True)

    def start(self) -> None:
        """Begins to read."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and lets go of the device."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_DEADLINE_S)

    def _run(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            try:
                self._grab(backoff)
            except DeviceError as error:
                self.fault = str(error)
                self.counts['lost'] += 1
                self._stopping.wait(backoff.failed(time.monotonic_ns()))

    def _grab(self, backoff: Backoff) -> None:
        source = self._open_source()
        due = time.monotonic()
        try:
            while not self._stopping.is_set():
                picture = source.read(self._clock, self._frame)
                backoff.succeeded()
                self.fault = ''
                self.counts['pictures'] += 1
                self._on_picture(picture)
                if source.is_file:
                    due = max(due + 1.0 / source.rate_hz, time.monotonic() - 1.0)
                    self._stopping.wait(max(0.0, due - time.monotonic()))
        finally:
            source.close()
