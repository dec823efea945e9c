"""Take an event handler out."""

from __future__ import annotations

from typing import Any

from ..action import Action
from ..event_handler import BaseEventHandler
from ..launch_context import LaunchContext


class UnregisterEventHandler(Action):
    """Lets an event handler see no more events."""

    def __init__(self, event_handler: BaseEventHandler, **kwargs: Any) -> None:
        """Keep the handler."""
        super().__init__(**kwargs)
        self.__event_handler = event_handler

    def execute(self, context: LaunchContext) -> None:
        """Take the handler out."""
        context.unregister_event_handler(self.__event_handler)
