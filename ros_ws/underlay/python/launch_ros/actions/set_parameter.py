"""Set a parameter of all the following nodes."""

from __future__ import annotations

from typing import Any

from launch.action import Action
from launch.launch_context import LaunchContext
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

from ..utilities import evaluate_parameter_dict


class SetParameter(Action):
    """Sets a parameter of all the following nodes, until the end of the scope."""

    def __init__(self, name: SomeSubstitutionsType, value: Any, **kwargs: Any) -> None:
        """Keep name and value."""
        super().__init__(**kwargs)
        self.__name = normalize_to_list_of_substitutions(name)
        self.__value = value

    def execute(self, context: LaunchContext) -> None:
        """Add the parameter; a node's own parameters come after it."""
        values = evaluate_parameter_dict(context, {perform_substitutions(context, self.__name): self.__value})
        before = context.launch_configurations.get('global_params', [])
        context.launch_configurations['global_params'] = [*before, *values.items()]
