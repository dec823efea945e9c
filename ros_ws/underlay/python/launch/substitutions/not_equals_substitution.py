"""Whether two texts differ."""

from __future__ import annotations

from ..launch_context import LaunchContext
from .equals_substitution import EqualsSubstitution


class NotEqualsSubstitution(EqualsSubstitution):
    """Gives 'true' if the sides differ, else 'false'."""

    def perform(self, context: LaunchContext) -> str:
        """Return 'true' or 'false'."""
        return 'false' if super().perform(context) == 'true' else 'true'
