"""The value of a parameter that was set for all nodes."""

from __future__ import annotations

from launch.launch_context import LaunchContext
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.substitutions import SubstitutionFailure
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions


class Parameter(Substitution):
    """Reads what SetParameter has set."""

    def __init__(self, name: SomeSubstitutionsType, *, default: SomeSubstitutionsType | None = None) -> None:
        """Keep the name and the default."""
        self.__name = normalize_to_list_of_substitutions(name)
        self.__default = None if default is None else normalize_to_list_of_substitutions(default)

    def perform(self, context: LaunchContext) -> str:
        """Return the value as text, else the default; SubstitutionFailure if there is neither."""
        name = perform_substitutions(context, self.__name)
        for entry in reversed(context.launch_configurations.get('global_params', [])):
            if isinstance(entry, tuple) and entry[0] == name:
                return str(entry[1])
        if self.__default is None:
            raise SubstitutionFailure(f'parameter {name!r} is not set: use SetParameter before or give a default')
        return perform_substitutions(context, self.__default)
