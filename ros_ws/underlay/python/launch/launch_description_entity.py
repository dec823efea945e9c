"""What a launch description is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class LaunchDescriptionEntity:
    """A part of a launch description; visiting it may yield further parts."""

    def describe(self) -> str:
        """Return a description that needs no context."""
        return f'{type(self).__name__}()'

    def visit(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:
        """Do the entity's work and return the entities to visit next."""
        return None

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the entities that will be visited for sure, as far as known without a context."""
        return []

    def describe_conditional_sub_entities(self) -> list[tuple[str, Iterable[LaunchDescriptionEntity]]]:
        """Return pairs of a condition in words and the entities visited if it comes true."""
        return []
