"""A node spun as Loom's processes spin theirs."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import rclpy
from rclpy.node import Node

from loom.ros.process import SPIN_S, new_executor
from loom.ros.shared_memory import reclaim


@contextmanager
def spinning(name: str) -> Iterator[Node]:
    """The node, on Loom's executor in a thread of its own, until the end of the block."""
    rclpy.init()
    node, executor, ended = rclpy.create_node(name), new_executor(), threading.Event()
    executor.add_node(node)

    def spin() -> None:
        while not ended.is_set():
            executor.spin_once(timeout_sec=SPIN_S)
    spinner = threading.Thread(target=spin)
    gc.collect()
    gc.freeze()
    spinner.start()
    try:
        yield node
    finally:
        ended.set()
        spinner.join()
        executor.remove_node(node)
        node.destroy_node()
        executor.shutdown(timeout_sec=0.5)
        rclpy.try_shutdown()
        reclaim(own=True)
