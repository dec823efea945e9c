"""The value of an environment variable."""

from __future__ import annotations

from ..launch_context import LaunchContext
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions
from .substitution_failure import SubstitutionFailure


class EnvironmentVariable(Substitution):
    """Reads the environment as changed by the actions so far."""

    def __init__(self, name: SomeSubstitutionsType, *, default_value: SomeSubstitutionsType | None = None) -> None:
        """Keep the name and the default."""
        self.__name = normalize_to_list_of_substitutions(name)
        self.__default = None if default_value is None else normalize_to_list_of_substitutions(default_value)

    @property
    def name(self) -> list[Substitution]:
        """The name of the variable."""
        return self.__name

    def describe(self) -> str:
        """Return the constructor call."""
        return f'EnvVar({" + ".join(each.describe() for each in self.__name)})'

    def perform(self, context: LaunchContext) -> str:
        """Return the value, else the default; SubstitutionFailure if there is neither."""
        name = perform_substitutions(context, self.__name)
        if name in context.environment:
            return context.environment[name]
        if self.__default is None:
            raise SubstitutionFailure(f'environment variable {name!r} does not exist: set it or give a default_value')
        return perform_substitutions(context, self.__default)
