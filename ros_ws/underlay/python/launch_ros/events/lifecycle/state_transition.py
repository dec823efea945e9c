"""A lifecycle node has made a transition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from launch.event import Event

if TYPE_CHECKING:
    from ...actions.lifecycle_node import LifecycleNode


class StateTransition(Event):
    """Emitted when a lifecycle node has changed its state."""

    name = 'launch_ros.events.lifecycle.StateTransition'

    def __init__(self, *, action: LifecycleNode, msg: Any) -> None:
        """Keep the action of the node and the ``lifecycle_msgs/TransitionEvent``."""
        self.action = action
        self.msg = msg

    @property
    def timestamp(self) -> int:
        """When it happened, in nanoseconds of the node's clock."""
        return int(self.msg.timestamp)

    @property
    def transition(self) -> str:
        """The label of the transition."""
        return str(self.msg.transition.label)

    @property
    def start_state(self) -> str:
        """The label of the state before."""
        return str(self.msg.start_state.label)

    @property
    def goal_state(self) -> str:
        """The label of the state after."""
        return str(self.msg.goal_state.label)
