"""A fixed text."""

from __future__ import annotations

from ..launch_context import LaunchContext
from ..substitution import Substitution


class TextSubstitution(Substitution):
    """Wraps a text, so that all texts can be handled alike."""

    def __init__(self, *, text: str) -> None:
        """Keep the text; TypeError if it is not a str."""
        if not isinstance(text, str):
            raise TypeError(f'text must be a str, got {text!r}')
        self.__text = text

    @property
    def text(self) -> str:
        """The text."""
        return self.__text

    def describe(self) -> str:
        """Return the text in quotes."""
        return f"'{self.__text}'"

    def perform(self, context: LaunchContext) -> str:
        """Return the text."""
        return self.__text
