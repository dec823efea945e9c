"""Register an event handler."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..action import Action
from ..event_handler import BaseEventHandler
from ..launch_context import LaunchContext
from ..launch_description_entity import LaunchDescriptionEntity


class RegisterEventHandler(Action):
    """Lets an event handler see the events from now on."""

    def __init__(self, event_handler: BaseEventHandler, **kwargs: Any) -> None:
        """Keep the handler."""
        super().__init__(**kwargs)
        self.__event_handler = event_handler

    @property
    def event_handler(self) -> BaseEventHandler:
        """The handler."""
        return self.__event_handler

    def describe_conditional_sub_entities(self) -> list[tuple[str, Iterable[LaunchDescriptionEntity]]]:
        """Return the entities that the handler yields."""
        return [self.__event_handler.describe()]

    def execute(self, context: LaunchContext) -> None:
        """Register the handler."""
        context.register_event_handler(self.__event_handler)
