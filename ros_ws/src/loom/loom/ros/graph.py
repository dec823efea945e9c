"""What all nodes of a process see of the ROS graph alike, asked for once."""

from __future__ import annotations

import time
from weakref import WeakKeyDictionary

from rclpy.context import Context
from rclpy.node import Node

Topics = list[tuple[str, list[str]]]
_seen: WeakKeyDictionary[Context, tuple[float, Topics]] = WeakKeyDictionary()


def topics_and_types(node: Node, age_s: float) -> Topics:
    """All topics and the types they have, as they were at most `age_s` seconds ago; the list is shared, and stays."""
    since_s, topics = _seen.get(node.context, (-float('inf'), []))
    if time.monotonic() - since_s > age_s:
        topics = node.get_topic_names_and_types()
        _seen[node.context] = time.monotonic(), topics
    return topics
