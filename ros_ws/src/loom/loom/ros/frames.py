"""Newest transforms between frames, from `tf` and `tf_static`."""

from __future__ import annotations

import numpy as np
from geometry_msgs.msg import Transform
from numpy.typing import NDArray
from tf2_msgs.msg import TFMessage

from loom.core.errors import DeviceError
from loom.ros.convert import stamp_to_ns

Matrix = NDArray[np.float64]
MAX_FRAMES = 256
DEPTH = 32


class Frames:
    """A tree of frames; take() may be called from one thread while others look up."""

    def __init__(self) -> None:
        self._parents: dict[str, tuple[str, Matrix, int]] = {}

    def take(self, message: TFMessage) -> None:
        """Keeps the newest transform of each child frame; static ones have stamp 0 or any other."""
        for transform in message.transforms:
            child = transform.child_frame_id
            if child in self._parents or len(self._parents) < MAX_FRAMES:
                self._parents[child] = (transform.header.frame_id, matrix_of(transform.transform),
                                        stamp_to_ns(transform.header.stamp))

    def lookup(self, target: str, source: str) -> Matrix:
        """The (4, 4) transform that takes points of `source` to `target`, an ancestor; DeviceError where none is."""
        matrix, frame = np.eye(4), source
        for _ in range(DEPTH):
            if frame == target:
                return matrix
            if frame not in self._parents:
                break
            frame, step, _stamp = self._parents[frame]
            matrix = step @ matrix
        raise DeviceError(f'no transform from {source!r} up to {target!r}, only to {frame!r}; who publishes the rest?')

    def stamp_ns(self, child: str) -> int:
        """When the transform of a frame to its parent was valid; 0 where it is unknown."""
        return self._parents[child][2] if child in self._parents else 0


def matrix_of(transform: Transform) -> Matrix:
    """The (4, 4) matrix of a transform message."""
    t, q = transform.translation, transform.rotation
    x, y, z, w = q.x, q.y, q.z, q.w
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w), t.x],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w), t.y],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y), t.z],
        [0.0, 0.0, 0.0, 1.0]])
