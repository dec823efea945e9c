"""Something is asked of processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...event import Event


class ProcessTargetedEvent(Event):
    """Asks something of the processes that match."""

    name = 'launch.events.process.ProcessTargetedEvent'

    def __init__(self, *, process_matcher: Callable[[Any], bool]) -> None:
        """Keep the matcher, which is called with the action of each process."""
        self.process_matcher = process_matcher
