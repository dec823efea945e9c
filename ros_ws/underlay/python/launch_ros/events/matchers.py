"""Which lifecycle node an event is meant for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..actions.lifecycle_node import LifecycleNode


def matches_node_name(node_name: str) -> Callable[[LifecycleNode], bool]:
    """Return a matcher for the node with this full name."""
    name = node_name if node_name.startswith('/') else f'/{node_name}'
    return lambda action: action.node_name == name
