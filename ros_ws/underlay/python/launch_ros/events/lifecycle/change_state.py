"""Lifecycle nodes are asked to make a transition."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from launch.event import Event

if TYPE_CHECKING:
    from ...actions.lifecycle_node import LifecycleNode


class ChangeState(Event):
    """Asks the lifecycle nodes that match to make a transition."""

    name = 'launch_ros.events.lifecycle.ChangeState'

    def __init__(self, *, lifecycle_node_matcher: Callable[[LifecycleNode], bool], transition_id: int) -> None:
        """Keep the matcher and the transition, a constant of ``lifecycle_msgs.msg.Transition``."""
        self.lifecycle_node_matcher = lifecycle_node_matcher
        self.transition_id = transition_id
