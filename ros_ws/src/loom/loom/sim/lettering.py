"""Letters for signs, drawn as round strokes so that no font file is needed."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Point = tuple[float, float]
Stroke = tuple[Point, ...]

GAP = 0.3
SPACE = 0.3
MARGIN = 0.45


def _arc(cx: float, cy: float, rx: float, ry: float, start: float, end: float) -> Stroke:
    """Points on an ellipse from `start` to `end` degrees, counter-clockwise where end > start."""
    steps = max(4, int(abs(end - start) / 15))
    angles = (math.radians(start + (end - start) * i / steps) for i in range(steps + 1))
    return tuple((cx + rx * math.cos(a), cy + ry * math.sin(a)) for a in angles)


# Each letter stands in a box 0.6 wide and 1 high, y up.
GLYPHS: dict[str, tuple[Stroke, ...]] = {
    'A': (((0, 0), (.3, 1), (.6, 0)), ((.1, .34), (.5, .34))),
    'B': (((0, 0), (0, 1), (.3, 1)), _arc(.3, .76, .25, .24, 90, -90), ((0, .52), (.3, .52)),
          _arc(.3, .26, .3, .26, 90, -90), ((.3, 0), (0, 0))),
    'C': (_arc(.32, .5, .32, .5, 48, 312),),
    'D': (((0, 0), (0, 1), (.2, 1)), _arc(.2, .5, .4, .5, 90, -90), ((.2, 0), (0, 0))),
    'E': (((.55, 1), (0, 1), (0, 0), (.55, 0)), ((0, .52), (.45, .52))),
    'F': (((.55, 1), (0, 1), (0, 0)), ((0, .52), (.45, .52))),
    'G': (_arc(.32, .5, .32, .5, 48, 360), ((.64, .48), (.36, .48))),
    'H': (((0, 0), (0, 1)), ((.6, 0), (.6, 1)), ((0, .52), (.6, .52))),
    'I': (((.3, 0), (.3, 1)),),
    'J': (((.5, 1), (.5, .28)), _arc(.25, .27, .25, .27, 0, -170)),
    'K': (((0, 0), (0, 1)), ((.56, 1), (0, .42)), ((.18, .6), (.6, 0))),
    'L': (((0, 1), (0, 0), (.52, 0)),),
    'M': (((0, 0), (.02, 1), (.33, .25), (.64, 1), (.66, 0)),),
    'N': (((0, 0), (0, 1), (.6, 0), (.6, 1)),),
    'O': (_arc(.32, .5, .32, .5, 0, 360),),
    'P': (((0, 0), (0, 1), (.3, 1)), _arc(.3, .73, .27, .27, 90, -90), ((.3, .46), (0, .46))),
    'R': (((0, 0), (0, 1), (.3, 1)), _arc(.3, .74, .26, .26, 90, -90), ((.3, .48), (0, .48)), ((.28, .48), (.58, 0))),
    'S': (_arc(.3, .75, .27, .25, 40, 270), _arc(.3, .25, .29, .25, 90, -140)),
    'T': (((0, 1), (.6, 1)), ((.3, 1), (.3, 0))),
    'U': (((0, 1), (0, .3)), _arc(.3, .3, .3, .3, 180, 360), ((.6, .3), (.6, 1))),
    'V': (((0, 1), (.3, 0), (.6, 1)),),
    'W': (((0, 1), (.15, 0), (.33, .75), (.51, 0), (.66, 1)),),
    'X': (((0, 0), (.6, 1)), ((0, 1), (.6, 0))),
    'Y': (((0, 1), (.3, .5), (.6, 1)), ((.3, .5), (.3, 0))),
    'Z': (((0, 1), (.6, 1), (0, 0), (.6, 0)),),
    ' ': (),
}


def ink(text: str, height_px: int, stroke: float = 0.17) -> npt.NDArray[np.float32]:
    """How much ink covers each pixel, 0 to 1, shape (H, W); `stroke` is the pen's width in letter heights."""
    starts, width = _layout(text)
    scale = height_px / (1 + MARGIN * 2)
    rows, columns = np.mgrid[0:height_px, 0:int(width * scale)].astype(np.float32)
    x, y = (columns + 0.5) / scale - MARGIN, 1 + MARGIN - (rows + 0.5) / scale
    distance = np.full(x.shape, 9.0, np.float32)
    for start, letter in zip(starts, text):
        for points in GLYPHS[letter]:
            for a, b in pairwise(points):
                np.minimum(distance, _to_segment(x - start, y, a, b), out=distance)
    return np.clip((stroke / 2 - distance) * scale + 0.5, 0, 1).astype(np.float32)


def _layout(text: str) -> tuple[list[float], float]:
    """Where each letter starts and how wide the sign is, in letter heights."""
    starts, end = [], MARGIN - GAP
    for letter in text:
        columns = [px for points in GLYPHS[letter] for px, _ in points]
        left, right = (min(columns), max(columns)) if columns else (0.0, SPACE)
        starts.append(end + GAP - left - MARGIN)
        end += GAP + right - left
    return starts, end + MARGIN


def _to_segment(x: npt.NDArray[np.float32], y: npt.NDArray[np.float32], a: Point, b: Point) -> npt.NDArray[np.float32]:
    dx, dy = b[0] - a[0], b[1] - a[1]
    along = np.clip(((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy), 0, 1)
    distance: npt.NDArray[np.float32] = np.hypot(x - a[0] - along * dx, y - a[1] - along * dy)
    return distance
