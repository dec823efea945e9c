"""Bytes from or to a process."""

from __future__ import annotations

from typing import Any

from .running_process_event import RunningProcessEvent


class ProcessIO(RunningProcessEvent):
    """Bytes on one of the three standard streams."""

    name = 'launch.events.process.ProcessIO'

    def __init__(self, *, text: bytes, fd: int, **kwargs: Any) -> None:
        """Keep the bytes and the number of the stream."""
        super().__init__(**kwargs)
        self.text = text
        self.fd = fd

    @property
    def from_stdin(self) -> bool:
        """Whether the bytes go to stdin."""
        return self.fd == 0

    @property
    def from_stdout(self) -> bool:
        """Whether the bytes come from stdout."""
        return self.fd == 1

    @property
    def from_stderr(self) -> bool:
        """Whether the bytes come from stderr."""
        return self.fd == 2
