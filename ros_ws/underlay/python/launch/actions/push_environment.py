"""Remember the environment."""

from ..action import Action
from ..launch_context import LaunchContext


class PushEnvironment(Action):
    """Begins a scope of environment variables."""

    def execute(self, context: LaunchContext) -> None:
        """Remember the environment."""
        context._push_environment()
