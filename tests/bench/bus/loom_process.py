"""A node spun on Loom's executor: on the main thread as Loom's processes do it, or beside a program that goes on."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import rclpy
from rclpy.node import Node

from loom.ros.process import SPIN_S, new_executor
from loom.ros.shared_memory import reclaim


class Spinner:
    """A node, and the turns of its executor."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.ended = False
        self._executor = new_executor()
        self._executor.add_node(node)

    def until_ended(self) -> None:
        """Serves the node until `ended` is set."""
        while not self.ended:
            self._executor.spin_once(timeout_sec=SPIN_S)

    def rest(self, seconds: float) -> None:
        """Serves the node for so long."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)

    def close(self) -> None:
        """Ends executor and node."""
        self._executor.remove_node(self.node)
        self.node.destroy_node()
        self._executor.shutdown(timeout_sec=0.5)


@contextmanager
def spinner_of(name: str) -> Iterator[Spinner]:
    """A node with its spinner, until the end of the block; the caller gives it its turns."""
    rclpy.init()
    spinner = Spinner(rclpy.create_node(name))
    gc.collect()
    gc.freeze()
    try:
        yield spinner
    finally:
        spinner.close()
        rclpy.try_shutdown()
        reclaim(own=True)


@contextmanager
def spinning(name: str) -> Iterator[Node]:
    """A node that is served by a thread of its own until the end of the block."""
    with spinner_of(name) as spinner:
        thread = threading.Thread(target=spinner.until_ended)
        thread.start()
        try:
            yield spinner.node
        finally:
            spinner.ended = True
            thread.join()
