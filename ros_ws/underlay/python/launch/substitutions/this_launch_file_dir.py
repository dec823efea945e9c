"""The folder of the current launch file."""

from __future__ import annotations

from ..launch_context import LaunchContext
from ..substitution import Substitution
from .substitution_failure import SubstitutionFailure


class ThisLaunchFileDir(Substitution):
    """Gives the folder of the launch file that is being included."""

    def perform(self, context: LaunchContext) -> str:
        """Return the folder; SubstitutionFailure outside of a launch file."""
        values = context.get_locals_as_dict()
        if 'current_launch_file_directory' not in values:
            raise SubstitutionFailure('ThisLaunchFileDir is used outside of a launch file')
        return str(values['current_launch_file_directory'])
