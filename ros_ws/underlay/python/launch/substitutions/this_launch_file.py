"""The path of the current launch file."""

from __future__ import annotations

from ..launch_context import LaunchContext
from ..substitution import Substitution
from .substitution_failure import SubstitutionFailure


class ThisLaunchFile(Substitution):
    """Gives the path of the launch file that is being included."""

    def perform(self, context: LaunchContext) -> str:
        """Return the path; SubstitutionFailure outside of a launch file."""
        values = context.get_locals_as_dict()
        if 'current_launch_file_path' not in values:
            raise SubstitutionFailure('ThisLaunchFile is used outside of a launch file')
        return str(values['current_launch_file_path'])
