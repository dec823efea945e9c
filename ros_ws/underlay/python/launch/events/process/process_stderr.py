"""Bytes from stderr of a process."""

from __future__ import annotations

from typing import Any

from .process_io import ProcessIO


class ProcessStderr(ProcessIO):
    """Bytes from stderr."""

    name = 'launch.events.process.ProcessStderr'

    def __init__(self, *, text: bytes, **kwargs: Any) -> None:
        """Keep the bytes."""
        super().__init__(text=text, fd=2, **kwargs)
