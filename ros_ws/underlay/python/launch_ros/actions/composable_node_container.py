"""Run a container of composable nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from launch.errors import LaunchError
from launch.launch_context import LaunchContext

from ..descriptions import ComposableNode
from .node import Node

NO_COMPONENTS = (
    'composable nodes need rclcpp_components, which a ROS 2 from pip does not have: '
    'run the nodes as processes (Node) or source a full ROS 2'
)


class ComposableNodeContainer(Node):
    """Can be described and listed, but not run without a full ROS 2."""

    def __init__(self, *, composable_node_descriptions: Sequence[ComposableNode] | None = None, **kwargs: Any) -> None:
        """Keep the descriptions of the nodes."""
        super().__init__(**kwargs)
        self.composable_node_descriptions = list(composable_node_descriptions or [])

    def execute(self, context: LaunchContext) -> None:
        """Raise LaunchError, which says what to do instead."""
        raise LaunchError(NO_COMPONENTS)
