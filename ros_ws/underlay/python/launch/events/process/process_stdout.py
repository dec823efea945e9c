"""Bytes from stdout of a process."""

from __future__ import annotations

from typing import Any

from .process_io import ProcessIO


class ProcessStdout(ProcessIO):
    """Bytes from stdout."""

    name = 'launch.events.process.ProcessStdout'

    def __init__(self, *, text: bytes, **kwargs: Any) -> None:
        """Keep the bytes."""
        super().__init__(text=text, fd=1, **kwargs)
