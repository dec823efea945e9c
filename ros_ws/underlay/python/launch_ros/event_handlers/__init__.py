"""What to do when something happens to a ROS node."""

from .on_state_transition import OnStateTransition

__all__ = ['OnStateTransition']
