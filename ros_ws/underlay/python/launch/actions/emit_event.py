"""Emit an event."""

from __future__ import annotations

from typing import Any

from ..action import Action
from ..event import Event
from ..launch_context import LaunchContext


class EmitEvent(Action):
    """Emits an event."""

    def __init__(self, *, event: Event, **kwargs: Any) -> None:
        """Keep the event."""
        super().__init__(**kwargs)
        if not isinstance(event, Event):
            raise TypeError(f'event must be an Event, got {event!r}')
        self.__event = event

    @property
    def event(self) -> Event:
        """The event."""
        return self.__event

    def execute(self, context: LaunchContext) -> None:
        """Emit the event."""
        context.emit_event_sync(self.__event)
