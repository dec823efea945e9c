"""Pictures as plain values: from raw bytes, as JPEG, and the coloured regions in them (a door of cv2).

OpenCV takes 15 MB and is loaded where it is used: most processes only hand pictures on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loom.core.errors import EventError

Pixels = NDArray[np.uint8]
Depths = NDArray[np.float32]
Raw = Any  # whatever has the buffer protocol
MAX_PIXELS = 4096 * 4096
_CHANNELS = {'rgb8': 3, 'bgr8': 3, 'mono8': 1, 'rgba8': 4, 'bgra8': 4}


@dataclass(frozen=True)
class Picture:
    """`pixels` is uint8 (H, W, 3) in the order red, green, blue; `stamp_ns` when it was taken; `frame` optical."""

    pixels: Pixels
    stamp_ns: int = 0
    frame: str = ''


@dataclass(frozen=True)
class Lens:
    """Pinhole intrinsics: focal lengths and centre in pixels."""

    fx: float
    fy: float
    cx: float
    cy: float


@dataclass(frozen=True)
class Region:
    """A connected patch: box in pixels, area and outline length, and how much of its enclosing circle it fills."""

    left: int
    top: int
    width: int
    height: int
    area: float
    u: float
    v: float
    perimeter: float
    roundness: float
    solidity: float
    mask: NDArray[np.bool_]


def lens_for(width: int, height: int, horizontal_fov: float) -> Lens:
    """The lens of an ideal camera with square pixels; `horizontal_fov` in radians."""
    focal = width / 2 / float(np.tan(horizontal_fov / 2))
    return Lens(focal, focal, width / 2, height / 2)


def picture_from(data: Raw, encoding: str, height: int, width: int, step: int, *, stamp_ns: int = 0,
                 frame: str = '') -> Picture:
    """The picture in a raw image; EventError where encoding or size do not fit."""
    channels = _CHANNELS.get(encoding)
    if channels is None:
        raise EventError(f'a picture must be one of {", ".join(_CHANNELS)}, got {encoding!r}')
    rows = _rows(data, height, width, step, channels)
    pixels = rows[:, :width * channels].reshape(height, width, channels)
    if channels == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    elif encoding.startswith('bgr'):
        pixels = pixels[:, :, 2::-1]
    return Picture(np.ascontiguousarray(pixels[:, :, :3]), stamp_ns, frame)


def depth_from(data: Raw, encoding: str, height: int, width: int, step: int) -> Depths:
    """Metres (H, W) in a depth image, 32FC1 or 16UC1 millimetres (REP-118); EventError where they do not fit."""
    if encoding == '32FC1':
        rows = _rows(data, height, width, step, 4)
        return np.ascontiguousarray(rows[:, :width * 4]).view(np.float32)
    if encoding == '16UC1':
        millimetres = np.ascontiguousarray(_rows(data, height, width, step, 2)[:, :width * 2]).view(np.uint16)
        return np.where(millimetres == 0, np.nan, millimetres / 1000.0).astype(np.float32)
    raise EventError(f'a depth image must be 32FC1 or 16UC1, got {encoding!r}')


def encode_jpeg(pixels: Pixels, quality: int = 80) -> bytes:
    """The picture (H, W, 3) as JPEG; quality 1 to 100."""
    import cv2
    done, data = cv2.imencode('.jpg', cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, quality))
    if not done:
        raise EventError(f'a picture must be uint8 (H, W, 3) to become JPEG, got {pixels.dtype} {pixels.shape}')
    return bytes(data.tobytes())


def decode(data: bytes) -> Pixels:
    """Pixels (H, W, 3) of a JPEG or PNG file; EventError where it is neither or over 16 million pixels."""
    import cv2
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if found is None or found.size > MAX_PIXELS * 3:
        raise EventError(f'a picture must be a JPEG or PNG of at most {MAX_PIXELS} pixels; got {len(data)} bytes')
    return np.asarray(cv2.cvtColor(found, cv2.COLOR_BGR2RGB), np.uint8)


def to_hsv(pixels: Pixels) -> Pixels:
    """Hue 0..179, saturation and value 0..255 of each pixel, (H, W, 3)."""
    import cv2
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV), np.uint8)


def regions(mask: NDArray[np.bool_], min_area: float, limit: int = 8) -> list[Region]:
    """The largest patches of a mask (H, W) after specks are removed and small holes closed."""
    import cv2
    kernel = np.ones((3, 3), np.uint8)
    clean = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    clean = cv2.morphologyEx(clean, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, labels, stats, centres = cv2.connectedComponentsWithStats(clean, connectivity=8)
    order = sorted(range(1, count), key=lambda i: -int(stats[i, cv2.CC_STAT_AREA]))[:limit]
    return [_region(labels, i, stats[i], centres[i]) for i in order if stats[i, cv2.CC_STAT_AREA] >= min_area]


def _region(labels: NDArray[np.int32], index: int, row: NDArray[np.int32], centre: NDArray[np.float64]) -> Region:
    import cv2
    left, top, width, height, area = (int(n) for n in row)
    mask = labels[top:top + height, left:left + width] == index
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=len)
    _, radius = cv2.minEnclosingCircle(outline)
    hull = cv2.contourArea(cv2.convexHull(outline)) + cv2.arcLength(outline, True) / 2
    return Region(left, top, width, height, float(area), float(centre[0]), float(centre[1]),
                  float(cv2.arcLength(outline, True)), area / (np.pi * (radius + 0.5) ** 2),
                  min(1.0, area / max(hull, 1.0)), mask)


def _rows(data: Raw, height: int, width: int, step: int, pixel_bytes: int) -> Pixels:
    if (min(height, width) <= 0 or height * width > MAX_PIXELS or step < width * pixel_bytes
            or len(data) != step * height):
        raise EventError(f'an image of {width}x{height} with step {step} must have step >= {width * pixel_bytes} and '
                         f'step x height bytes, got {len(data)}')
    return np.frombuffer(data, np.uint8).reshape(height, step)
