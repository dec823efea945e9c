"""A process has ended."""

from __future__ import annotations

from typing import Any

from .running_process_event import RunningProcessEvent


class ProcessExited(RunningProcessEvent):
    """Emitted when a process has ended."""

    name = 'launch.events.process.ProcessExited'

    def __init__(self, *, returncode: int, **kwargs: Any) -> None:
        """Keep the exit code; minus the signal if one ended the process."""
        super().__init__(**kwargs)
        self.returncode = returncode
