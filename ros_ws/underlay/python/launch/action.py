"""An entity that does something when it is visited."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .condition import Condition
from .launch_description_entity import LaunchDescriptionEntity

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class Action(LaunchDescriptionEntity):
    """A user's intention, executed if its condition holds."""

    def __init__(self, *, condition: Condition | None = None) -> None:
        """Keep the condition; without one the action is always executed."""
        self.__condition = condition

    @property
    def condition(self) -> Condition | None:
        """The condition under which the action is executed."""
        return self.__condition

    def get_sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        """Return the entities this action will yield, as far as known without a context."""
        return []

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the sub entities of an action that has no condition."""
        return list(self.get_sub_entities()) if self.condition is None else []

    def describe_conditional_sub_entities(self) -> list[tuple[str, Iterable[LaunchDescriptionEntity]]]:
        """Return the sub entities of an action that has a condition."""
        return [] if self.condition is None else [('Conditionally included by action', self.get_sub_entities())]

    def visit(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:
        """Execute the action if its condition holds."""
        if self.__condition is not None and not self.__condition.evaluate(context):
            return None
        entities = self.execute(context)
        if not context.is_running(self):
            context.emit_completion(self)
        return entities

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:
        """Do the work and return the entities to visit next."""
        raise NotImplementedError(f'{type(self).__name__} has no execute()')
