"""Unset a launch configuration."""

from __future__ import annotations

from typing import Any

from ..action import Action
from ..launch_context import LaunchContext
from ..some_substitutions_type import SomeSubstitutionsType
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions


class UnsetLaunchConfiguration(Action):
    """Removes a launch configuration, until the end of the scope."""

    def __init__(self, name: SomeSubstitutionsType, **kwargs: Any) -> None:
        """Keep the name."""
        super().__init__(**kwargs)
        self.__name = normalize_to_list_of_substitutions(name)

    def execute(self, context: LaunchContext) -> None:
        """Remove the configuration if it is set."""
        context.launch_configurations.pop(perform_substitutions(context, self.__name), None)
