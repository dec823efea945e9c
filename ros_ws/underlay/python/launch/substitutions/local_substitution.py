"""A local value of the context."""

from __future__ import annotations

from ..launch_context import LaunchContext
from ..substitution import Substitution
from .substitution_failure import SubstitutionFailure


class LocalSubstitution(Substitution):
    """Gives an attribute of the context's locals, such as ``event.reason``."""

    def __init__(self, expression: str, description: str | None = None) -> None:
        """Keep the dotted name."""
        self.__expression = expression
        self.__description = description

    def describe(self) -> str:
        """Return the description, else the constructor call."""
        return self.__description or f"LocalVar('{self.__expression}')"

    def perform(self, context: LaunchContext) -> str:
        """Return the value as text; SubstitutionFailure if there is none."""
        value: object = context.locals
        for name in self.__expression.split('.'):
            if not hasattr(value, name):
                raise SubstitutionFailure(f'there is no local value {self.__expression!r}')
            value = getattr(value, name)
        return str(value)
