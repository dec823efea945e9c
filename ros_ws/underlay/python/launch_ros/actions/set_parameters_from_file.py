"""Give a parameter file to all the following nodes."""

from __future__ import annotations

from typing import Any

from launch.action import Action
from launch.launch_context import LaunchContext
from launch.some_substitutions_type import SomeSubstitutionsType

from ..utilities import evaluate_parameters


class SetParametersFromFile(Action):
    """Gives a parameter file to all the following nodes, until the end of the scope."""

    def __init__(self, filename: SomeSubstitutionsType, **kwargs: Any) -> None:
        """Keep the path."""
        super().__init__(**kwargs)
        self.__filename = filename

    def execute(self, context: LaunchContext) -> None:
        """Add the file; a node's own parameters come after it."""
        before = context.launch_configurations.get('global_params', [])
        files = evaluate_parameters(context, [self.__filename])
        context.launch_configurations['global_params'] = [*before, *files]
