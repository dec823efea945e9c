"""A reader of loom/directory for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node

from loom.agents.directory import Directory
from loom.ros.directory import DirectoryReader


def read(ros: Any, on_change: Callable[[Directory], None] = lambda _: None) -> DirectoryReader:
    """A reader on a node of its own, made before the executor, which is on another thread, knows the node."""
    readers: list[DirectoryReader] = []

    def make(**options: Any) -> Node:
        node = Node('reader', **options)
        readers.append(DirectoryReader(node, on_change))
        return node
    ros.add(make)
    return readers[0]
