"""Restore the environment."""

from ..action import Action
from ..launch_context import LaunchContext


class PopEnvironment(Action):
    """Ends a scope of environment variables."""

    def execute(self, context: LaunchContext) -> None:
        """Restore the environment."""
        context._pop_environment()
