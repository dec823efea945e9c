"""What may be asked of a running process by events."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..event import Event
from ..event_handler import BaseEventHandler
from ..events.process.process_targeted_event import ProcessTargetedEvent
from ..events.process.shutdown_process import ShutdownProcess
from ..events.process.signal_process import SignalProcess
from ..events.shutdown import Shutdown

if TYPE_CHECKING:
    from ..action import Action
    from ..launch_context import LaunchContext


class ProcessRequests(BaseEventHandler):
    """Ends or signals the process of one action when the launch ends or an event asks for it."""

    def __init__(
        self, action: Action, end: Callable[[LaunchContext], None], send: Callable[[signal.Signals], None]
    ) -> None:
        """Keep what ends the process and what signals it."""
        super().__init__(matcher=self._wanted)
        self._action = action
        self._end = end
        self._send = send

    def _wanted(self, event: Event) -> bool:
        if isinstance(event, (ShutdownProcess, SignalProcess)):
            return bool(event.process_matcher(self._action))
        return isinstance(event, Shutdown)

    def handle(self, event: Event, context: LaunchContext) -> None:
        """Do what the event asks for."""
        super().handle(event, context)
        if isinstance(event, SignalProcess):
            self._send(event.signal)
        elif isinstance(event, (Shutdown, ProcessTargetedEvent)):
            self._end(context)
