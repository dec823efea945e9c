"""A node that is loaded into a container."""

from __future__ import annotations

from typing import Any


class ComposableNode:
    """Describes a composable node; it can be listed, but not loaded without a full ROS 2."""

    def __init__(self, *, package: Any, plugin: Any, name: Any = None, namespace: Any = None, **kwargs: Any) -> None:
        """Keep where the node's class is."""
        self.package = package
        self.node_plugin = plugin
        self.node_name = name
        self.node_namespace = namespace
        self.settings = kwargs
