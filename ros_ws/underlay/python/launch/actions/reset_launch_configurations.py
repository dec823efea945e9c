"""Remove all launch configurations but some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..action import Action
from ..launch_context import LaunchContext
from ..some_substitutions_type import SomeSubstitutionsType
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions


class ResetLaunchConfigurations(Action):
    """Removes all launch configurations and sets those that are given, evaluated before."""

    def __init__(self, launch_configurations: Mapping[Any, SomeSubstitutionsType] | None = None, **kwargs: Any) -> None:
        """Keep the configurations to set; their names and values may be substitutions."""
        super().__init__(**kwargs)
        self.__configurations = dict(launch_configurations or {})

    def execute(self, context: LaunchContext) -> None:
        """Replace the configurations."""
        kept = {
            perform_substitutions(context, normalize_to_list_of_substitutions(name)): perform_substitutions(
                context, normalize_to_list_of_substitutions(value)
            )
            for name, value in self.__configurations.items()
        }
        context.launch_configurations.clear()
        context.launch_configurations.update(kept)
