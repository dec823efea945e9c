"""Coloured objects in a picture: which colour and shape, in which direction, how far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loom.sense.pictures import Depths, Lens, Pixels, Region, regions, to_hsv

# Hue of OpenCV, 0..179; red lies around the end of the circle.
HUES: Mapping[str, tuple[tuple[int, int], ...]] = {
    'red': ((0, 7), (173, 179)), 'orange': ((8, 19),), 'yellow': ((20, 34),), 'green': ((36, 85),),
    'blue': ((95, 130),), 'purple': ((131, 160),)}
MIN_SATURATION = 140
MIN_VALUE = 35
MIN_AREA = 30
ROUND = 0.86
TALL = 1.2


@dataclass(frozen=True)
class Seen:
    """One object: bearing in radians, left positive; metres from the camera or None; share of the picture 0..1."""

    label: str
    colour: str
    shape: str
    bearing_rad: float
    distance_m: float | None
    area: float
    confidence: float = 1.0

    def data(self) -> dict[str, str | float | None]:
        """What an event about it carries."""
        distance = None if self.distance_m is None else round(self.distance_m, 3)
        return {'label': self.label, 'colour': self.colour, 'shape': self.shape,
                'bearing_rad': round(self.bearing_rad, 4), 'distance_m': distance, 'area': round(self.area, 5)}


def detect(pixels: Pixels, lens: Lens, depth: Depths | None = None) -> list[Seen]:
    """The objects in a picture (H, W, 3), largest first; `depth` (H, W) in metres was taken with it."""
    hsv = to_hsv(pixels)
    vivid = (hsv[:, :, 1] >= MIN_SATURATION) & (hsv[:, :, 2] >= MIN_VALUE)
    if np.count_nonzero(vivid) < MIN_AREA:
        return []
    found = [_seen(colour, region, pixels.shape, lens, depth)
             for colour, ranges in HUES.items()
             for region in regions(vivid & _within(hsv[:, :, 0], ranges), MIN_AREA, limit=4)]
    return sorted((seen for seen in found if seen.confidence > 0.0), key=lambda seen: -seen.area)


def _within(hue: NDArray[np.uint8], ranges: tuple[tuple[int, int], ...]) -> NDArray[np.bool_]:
    inside = np.zeros(hue.shape, np.bool_)
    for low, high in ranges:
        inside |= (hue >= low) & (hue <= high)
    return inside


def _seen(colour: str, region: Region, size: tuple[int, ...], lens: Lens, depth: Depths | None) -> Seen:
    shape, confidence = shape_of(region, size[1], size[0])
    bearing = -float(np.arctan2(region.u - lens.cx, lens.fx))
    return Seen(f'{colour} {shape}', colour, shape, bearing, _distance(region, bearing, depth),
                region.area / (size[0] * size[1]), confidence)


def shape_of(region: Region, width: int, height: int) -> tuple[str, float]:
    """ball, cube, cylinder, or object where the edge of the picture cuts it; with a confidence 0..1."""
    if region.solidity < 0.7:
        return 'object', 0.0
    cut = (region.left <= 0 or region.top <= 0 or region.left + region.width >= width
           or region.top + region.height >= height)
    if cut:
        return 'object', 0.5
    aspect = region.height / region.width
    if region.roundness >= ROUND and 0.8 < aspect < 1.25:
        return 'ball', min(1.0, region.area / 200)
    return ('cylinder' if aspect >= TALL else 'cube'), min(1.0, region.area / 200)


def _distance(region: Region, bearing: float, depth: Depths | None) -> float | None:
    if depth is None:
        return None
    patch = depth[region.top:region.top + region.height, region.left:region.left + region.width]
    values = patch[region.mask] if patch.shape == region.mask.shape else patch[:0]
    values = values[np.isfinite(values) & (values > 0)]
    # The nearer half of the patch: its rim mixes with what is behind.
    return float(np.percentile(values, 30)) / float(np.cos(bearing)) if len(values) else None
