"""Unset an environment variable."""

from __future__ import annotations

from typing import Any

from ..action import Action
from ..launch_context import LaunchContext
from ..some_substitutions_type import SomeSubstitutionsType
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions


class UnsetEnvironmentVariable(Action):
    """Removes an environment variable, until the end of the scope."""

    def __init__(self, name: SomeSubstitutionsType, **kwargs: Any) -> None:
        """Keep the name."""
        super().__init__(**kwargs)
        self.__name = normalize_to_list_of_substitutions(name)

    def execute(self, context: LaunchContext) -> None:
        """Remove the variable if it is set."""
        context.environment.pop(perform_substitutions(context, self.__name), None)
