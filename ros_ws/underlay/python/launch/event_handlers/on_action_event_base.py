"""Handlers of the events of one action."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..action import Action
from ..event import Event
from ..event_handler import BaseEventHandler
from ..launch_description_entity import LaunchDescriptionEntity
from ..some_entities_type import SomeEntitiesType
from ..utilities import normalize_to_list_of_entities

if TYPE_CHECKING:
    from ..launch_context import LaunchContext


class OnActionEventBase(BaseEventHandler):
    """Handles an event type, of one action, of those a function picks, or of all."""

    event_type: type[Event] = Event

    def __init__(
        self,
        *,
        action_matcher: Action | Callable[[Action], bool] | None,
        on_event: SomeEntitiesType | Callable[..., Any] | None,
        handle_once: bool = False,
    ) -> None:
        """Keep the target and what to do: entities, or a function of event and context that returns them."""
        super().__init__(matcher=self._wanted, handle_once=handle_once)
        if action_matcher is not None and not isinstance(action_matcher, Action) and not callable(action_matcher):
            raise TypeError(f'the target action must be an Action or a function, got {action_matcher!r}')
        self.__target = action_matcher
        self.__function = on_event if callable(on_event) else None
        self.__entities = [] if callable(on_event) else normalize_to_list_of_entities(on_event)

    def _wanted(self, event: Event) -> bool:
        if not isinstance(event, self.event_type):
            return False
        action = getattr(event, 'action', None)
        if self.__target is None:
            return True
        if isinstance(self.__target, Action):
            return action is self.__target
        return action is not None and bool(self.__target(action))

    def describe_entities(self) -> Iterable[LaunchDescriptionEntity]:
        """Return the entities, unless a function makes them."""
        return self.__entities

    def handle(self, event: Event, context: LaunchContext) -> SomeEntitiesType | None:
        """Return the entities, or call the function that makes them."""
        super().handle(event, context)
        if self.__function is None:
            return self.__entities
        return self._call(self.__function, event, context)

    def _call(self, function: Callable[..., Any], event: Event, context: LaunchContext) -> SomeEntitiesType | None:
        entities: SomeEntitiesType | None = function(event, context)
        return entities
