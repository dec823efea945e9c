"""A condition that holds where a text is false."""

from __future__ import annotations

from ..launch_context import LaunchContext
from .if_condition import IfCondition


class UnlessCondition(IfCondition):
    """Holds where the text is false or 0."""

    def _holds(self, context: LaunchContext) -> bool:
        return not super()._holds(context)
