"""Restore the launch configurations."""

from ..action import Action
from ..launch_context import LaunchContext


class PopLaunchConfigurations(Action):
    """Ends a scope of launch configurations."""

    def execute(self, context: LaunchContext) -> None:
        """Restore the launch configurations."""
        context._pop_launch_configurations()
