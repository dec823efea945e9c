"""What to do when an event happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from .event import Event
from .launch_description_entity import LaunchDescriptionEntity
from .some_entities_type import SomeEntitiesType
from .utilities import normalize_to_list_of_entities

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class BaseEventHandler:
    """Matches events and handles those that match."""

    def __init__(self, *, matcher: Callable[[Event], bool], handle_once: bool = False) -> None:
        """Keep the matcher; a handler with ``handle_once`` handles one event only."""
        self._matcher = matcher
        self._handle_once = handle_once

    @property
    def handle_once(self) -> bool:
        """Whether the handler is taken out after its first event."""
        return self._handle_once

    @property
    def handler_description(self) -> str:
        """What the handler does, in words."""
        return type(self).__name__

    @property
    def matcher_description(self) -> str:
        """What the handler matches, in words."""
        return 'unknown'

    def matches(self, event: Event) -> bool:
        """Return whether the handler wants the event."""
        return self._matcher(event)

    def describe_entities(self) -> Iterable[LaunchDescriptionEntity]:
        """Return the entities that handling yields, as far as known before."""
        return []

    def describe(self) -> tuple[str, list[LaunchDescriptionEntity]]:
        """Return the handler in words and the entities that it yields."""
        return f'{type(self).__name__}()', list(self.describe_entities())

    def handle(self, event: Event, context: LaunchContext) -> SomeEntitiesType | None:
        """Handle the event and return the entities to visit."""
        context.extend_locals({'event': event})
        if self._handle_once:
            context.unregister_event_handler(self)
        return None


class EventHandler(BaseEventHandler):
    """Visits fixed entities for each event that matches."""

    def __init__(
        self,
        *,
        matcher: Callable[[Event], bool],
        entities: SomeEntitiesType | None = None,
        handle_once: bool = False,
    ) -> None:
        """Keep the entities."""
        super().__init__(matcher=matcher, handle_once=handle_once)
        self._entities = normalize_to_list_of_entities(entities)

    @property
    def entities(self) -> Sequence[LaunchDescriptionEntity]:
        """The entities to visit."""
        return self._entities

    def describe_entities(self) -> Iterable[LaunchDescriptionEntity]:
        """Return the fixed entities."""
        return self._entities

    def handle(self, event: Event, context: LaunchContext) -> SomeEntitiesType | None:
        """Return the fixed entities."""
        super().handle(event, context)
        return self._entities
