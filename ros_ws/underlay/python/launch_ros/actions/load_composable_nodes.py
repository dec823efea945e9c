"""Load nodes into a container."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from launch.action import Action
from launch.errors import LaunchError
from launch.launch_context import LaunchContext

from ..descriptions import ComposableNode
from .composable_node_container import NO_COMPONENTS


class LoadComposableNodes(Action):
    """Can be described and listed, but not run without a full ROS 2."""

    def __init__(
        self, *, composable_node_descriptions: Sequence[ComposableNode], target_container: Any, **kwargs: Any
    ) -> None:
        """Keep the descriptions of the nodes and their container."""
        super().__init__(**kwargs)
        self.composable_node_descriptions = list(composable_node_descriptions)
        self.target_container = target_container

    def execute(self, context: LaunchContext) -> None:
        """Raise LaunchError, which says what to do instead."""
        raise LaunchError(NO_COMPONENTS)
