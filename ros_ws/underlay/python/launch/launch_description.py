"""The root of what is to be launched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from . import logging
from .action import Action
from .actions.declare_launch_argument import DeclareLaunchArgument
from .actions.reset_launch_configurations import ResetLaunchConfigurations
from .launch_description_entity import LaunchDescriptionEntity

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class LaunchDescription(LaunchDescriptionEntity):
    """A list of entities, visited in order."""

    def __init__(
        self,
        initial_entities: Iterable[LaunchDescriptionEntity] | None = None,
        *,
        deprecated_reason: str | None = None,
    ) -> None:
        """Keep the entities."""
        self.__entities = list(initial_entities or [])
        self.__deprecated_reason = deprecated_reason

    @property
    def entities(self) -> list[LaunchDescriptionEntity]:
        """The entities, in order."""
        return self.__entities

    def add_entity(self, entity: LaunchDescriptionEntity) -> None:
        """Append an entity."""
        self.__entities.append(entity)

    def add_action(self, action: Action) -> None:
        """Append an action."""
        self.add_entity(action)

    def visit(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity]:
        """Return the entities."""
        if self.__deprecated_reason is not None:
            logging.get_logger().warning(f'deprecated launch description: {self.__deprecated_reason}')
        return self.__entities

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Return the entities."""
        return self.__entities

    def get_launch_arguments(self, conditional_inclusion: bool = False) -> list[DeclareLaunchArgument]:
        """Return the arguments declared here, in groups and in included files; the first of a name counts."""
        found: dict[str, DeclareLaunchArgument] = {}
        for argument, conditional in _declared(self.__entities, conditional_inclusion):
            if argument.name not in found:
                argument.conditionally_included = conditional
                found[argument.name] = argument
        return list(found.values())


def _declared(
    entities: Iterable[LaunchDescriptionEntity], conditional: bool
) -> Iterator[tuple[DeclareLaunchArgument, bool]]:
    """Yield the declared arguments depth first, and whether each is declared under a condition only."""
    for entity in entities:
        if isinstance(entity, DeclareLaunchArgument):
            yield entity, conditional or entity.condition is not None
        if isinstance(entity, ResetLaunchConfigurations):
            return  # what is declared after a reset can't be set from outside
        yield from _declared(entity.describe_sub_entities(), conditional)
        for _, nested in entity.describe_conditional_sub_entities():
            yield from _declared(nested, True)
