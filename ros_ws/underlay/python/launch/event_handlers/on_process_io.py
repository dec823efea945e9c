"""What to do with the output of a process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..action import Action
from ..event import Event
from ..events.process.process_io import ProcessIO
from ..some_entities_type import SomeEntitiesType
from .on_action_event_base import OnActionEventBase

if TYPE_CHECKING:
    from ..launch_context import LaunchContext

Receiver = Callable[[ProcessIO], Any]


class OnProcessIO(OnActionEventBase):
    """Calls functions with the bytes of a process."""

    event_type = ProcessIO

    def __init__(
        self,
        *,
        target_action: Action | Callable[[Action], bool] | None = None,
        on_stdin: Receiver | None = None,
        on_stdout: Receiver | None = None,
        on_stderr: Receiver | None = None,
        **kwargs: Any,
    ) -> None:
        """Keep one function for each stream; each gets the event."""
        super().__init__(action_matcher=target_action, on_event=self._receive, **kwargs)
        self.__receivers = (on_stdin, on_stdout, on_stderr)

    def _receive(self, event: ProcessIO) -> Any:
        receiver = self.__receivers[event.fd]
        return None if receiver is None else receiver(event)

    def _call(self, function: Callable[..., Any], event: Event, context: LaunchContext) -> SomeEntitiesType | None:
        entities: SomeEntitiesType | None = function(event)
        return entities
