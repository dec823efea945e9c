"""Bytes to stdin of a process."""

from __future__ import annotations

from typing import Any

from .process_io import ProcessIO


class ProcessStdin(ProcessIO):
    """Bytes to stdin."""

    name = 'launch.events.process.ProcessStdin'

    def __init__(self, *, text: bytes, **kwargs: Any) -> None:
        """Keep the bytes."""
        super().__init__(text=text, fd=0, **kwargs)
