"""Remap a name for all the following nodes."""

from __future__ import annotations

from typing import Any

from launch.action import Action
from launch.launch_context import LaunchContext
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions


class SetRemap(Action):
    """Remaps a name for all the following nodes, until the end of the scope."""

    def __init__(self, src: SomeSubstitutionsType, dst: SomeSubstitutionsType, **kwargs: Any) -> None:
        """Keep both names."""
        super().__init__(**kwargs)
        self.__src = normalize_to_list_of_substitutions(src)
        self.__dst = normalize_to_list_of_substitutions(dst)

    def execute(self, context: LaunchContext) -> None:
        """Add the rule; it comes before a node's own."""
        rule = (perform_substitutions(context, self.__src), perform_substitutions(context, self.__dst))
        before = context.launch_configurations.get('ros_remaps', [])
        context.launch_configurations['ros_remaps'] = [*before, rule]
