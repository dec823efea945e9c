"""Include another launch description."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from ..action import Action
from ..launch_context import LaunchContext
from ..launch_description_entity import LaunchDescriptionEntity
from ..launch_description_source import LaunchDescriptionSource
from ..some_substitutions_type import SomeSubstitutionsType
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions
from .opaque_function import OpaqueFunction
from .set_launch_configuration import SetLaunchConfiguration

LOCALS = ('current_launch_file_path', 'current_launch_file_directory')


def _as_source(source: Any) -> LaunchDescriptionSource:
    """Return a source for a source, a description or the path of a file."""
    from ..launch_description import LaunchDescription
    from ..launch_description_sources.any_launch_description_source import AnyLaunchDescriptionSource

    if isinstance(source, LaunchDescriptionSource):
        return source
    if isinstance(source, LaunchDescription):
        return LaunchDescriptionSource(source, '<script>')
    return AnyLaunchDescriptionSource(source)


class IncludeLaunchDescription(Action):
    """Visits the entities of another description; the arguments given to it stay set afterwards."""

    def __init__(
        self,
        launch_description_source: Any,
        *,
        launch_arguments: Iterable[tuple[SomeSubstitutionsType, SomeSubstitutionsType]] | None = None,
        **kwargs: Any,
    ) -> None:
        """Keep the source and the pairs of names and values."""
        super().__init__(**kwargs)
        self.__source = _as_source(launch_description_source)
        self.__arguments = [(name, value) for name, value in launch_arguments or []]

    @property
    def launch_description_source(self) -> LaunchDescriptionSource:
        """Where the description comes from."""
        return self.__source

    @property
    def launch_arguments(self) -> Sequence[tuple[SomeSubstitutionsType, SomeSubstitutionsType]]:
        """The pairs of names and values."""
        return self.__arguments

    def describe(self) -> str:
        """Return the place of the file."""
        return f'IncludeLaunchDescription({self.__source.location})'

    def get_sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        """Return the description, if it can be had before launching."""
        description = self.__source.try_get_launch_description_without_context()
        return [] if description is None else [description]

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity]:
        """Return the settings of the arguments, the description, and what restores the locals."""
        description = self.__source.get_launch_description(context)
        before = {name: value for name, value in context.get_locals_as_dict().items() if name in LOCALS}
        path = os.path.abspath(self.__source.location)
        context.extend_locals(dict(zip(LOCALS, (path, os.path.dirname(path)))))
        settings = []
        for name, value in self.__arguments:
            text = perform_substitutions(context, normalize_to_list_of_substitutions(name))
            settings.append(SetLaunchConfiguration(text, value))
        return [*settings, description, OpaqueFunction(function=_restore_locals, args=[before])]


def _restore_locals(context: LaunchContext, before: dict[str, Any]) -> None:
    """Give the locals the values of the including file."""
    for name in LOCALS:
        context.get_locals_as_dict().pop(name, None)
    context.extend_locals(before)
