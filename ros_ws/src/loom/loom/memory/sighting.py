"""What a camera saw becomes an episode: a thing at a place of the map."""

from __future__ import annotations

import math
from typing import Any

from loom.core.event import Event
from loom.memory.episode import Episode
from loom.memory.episodes import Episodes

Pose = tuple[float, float, float]


def remember_sighting(episodes: Episodes, event: Event, pose: Pose | None) -> Episode:
    """Keeps an object event seen from `pose` (x, y in metres, yaw in radians, in the map); None: nobody knows where."""
    data = dict(event.data)
    kind = event.type.rpartition('.')[2]
    return episodes.record(kind, str(data.get('label', kind)), event.stamp_ns, place_of(data, pose),
                           0.5 * event.confidence, {'camera': event.type.split('.')[1], **data}, event.id)


def place_of(data: dict[str, Any], pose: Pose | None) -> tuple[float, float] | None:
    """Where the thing is; where the robot is, if it could not tell how far away; None where that is unknown too."""
    if pose is None:
        return None
    x, y, yaw = pose
    distance, bearing = data.get('distance_m'), data.get('bearing_rad')
    if distance is None or bearing is None:
        return x, y
    return x + distance * math.cos(yaw + bearing), y + distance * math.sin(yaw + bearing)
