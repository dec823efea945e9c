"""A text that is known only while launching."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class Substitution:
    """Something that becomes a text when it is performed in a context."""

    def describe(self) -> str:
        """Return a description that needs no context."""
        return f'{type(self).__name__}()'

    def perform(self, context: LaunchContext) -> str:
        """Return the text."""
        raise NotImplementedError(type(self).__name__)
