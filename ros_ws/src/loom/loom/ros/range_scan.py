"""Lidar messages as points in base_link."""

from __future__ import annotations

import numpy as np
from sensor_msgs.msg import LaserScan

from loom.act.body import Floats, Scan
from loom.ros.convert import stamp_to_ns
from loom.ros.frames import Frames

BASE = 'base_link'


def scan_of(message: LaserScan, frames: Frames) -> Scan:
    """The points that beams met, (n, 2); beams out of range (REP-117) are absent. DeviceError without transform."""
    ranges = np.asarray(message.ranges, dtype=np.float64)
    angles = message.angle_min + message.angle_increment * np.arange(len(ranges))
    # -inf is nearer than the lidar can measure: that is a thing at its nearest range, not nothing.
    ranges = np.where(np.isneginf(ranges), message.range_min, ranges)
    hit = np.isfinite(ranges) & (ranges >= message.range_min) & (ranges <= message.range_max)
    flat = np.column_stack([ranges[hit] * np.cos(angles[hit]), ranges[hit] * np.sin(angles[hit])])
    matrix = frames.lookup(BASE, message.header.frame_id)
    points: Floats = flat @ matrix[:2, :2].T + matrix[:2, 3]
    return Scan(points, stamp_to_ns(message.header.stamp))
