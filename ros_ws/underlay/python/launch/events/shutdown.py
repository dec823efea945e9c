"""The launch is to end."""

from __future__ import annotations

from ..event import Event


class Shutdown(Event):
    """Asks everything to end."""

    name = 'launch.events.Shutdown'

    def __init__(self, *, reason: str = 'reason not given', due_to_sigint: bool = False) -> None:
        """Keep the reason, and whether the user asked with a signal."""
        self.__reason = reason
        self.__due_to_sigint = due_to_sigint

    @property
    def reason(self) -> str:
        """Why the launch ends."""
        return self.__reason

    @property
    def due_to_sigint(self) -> bool:
        """Whether the user asked with a signal."""
        return self.__due_to_sigint
