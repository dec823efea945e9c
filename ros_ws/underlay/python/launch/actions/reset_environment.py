"""Restore the environment of the start."""

from ..action import Action
from ..launch_context import LaunchContext


class ResetEnvironment(Action):
    """Gives the environment the values it had when the launch began."""

    def execute(self, context: LaunchContext) -> None:
        """Restore the environment of the start."""
        context._reset_environment()
