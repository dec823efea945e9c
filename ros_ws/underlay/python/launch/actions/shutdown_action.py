"""End the launch."""

from __future__ import annotations

from typing import Any

from .. import logging
from ..action import Action
from ..events.process.process_exited import ProcessExited
from ..events.shutdown import Shutdown as ShutdownEvent
from ..launch_context import LaunchContext
from ..some_substitutions_type import SomeSubstitutionsType
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions


class Shutdown(Action):
    """Ends the launch."""

    def __init__(self, *, reason: SomeSubstitutionsType = 'reason not given', **kwargs: Any) -> None:
        """Keep the reason."""
        super().__init__(**kwargs)
        self.__reason = normalize_to_list_of_substitutions(reason)

    def execute(self, context: LaunchContext) -> None:
        """Emit the event that ends the launch; tells if a process that was required has ended."""
        event = context.get_locals_as_dict().get('event')
        if isinstance(event, ProcessExited):
            logging.get_logger().info(f'process[{event.process_name}] was required: shutting down launched system')
        context.emit_event_sync(ShutdownEvent(reason=perform_substitutions(context, self.__reason)))
