"""Remember the launch configurations."""

from ..action import Action
from ..launch_context import LaunchContext


class PushLaunchConfigurations(Action):
    """Begins a scope of launch configurations."""

    def execute(self, context: LaunchContext) -> None:
        """Remember the launch configurations."""
        context._push_launch_configurations()
