"""The value of a launch configuration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..launch_context import LaunchContext
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions
from .substitution_failure import SubstitutionFailure


def _normalize_default(default: Any) -> list[Substitution]:
    """Return a default of any type as substitutions."""
    parts = default if isinstance(default, Iterable) and not isinstance(default, str) else [default]
    return normalize_to_list_of_substitutions([p if isinstance(p, (str, Substitution)) else str(p) for p in parts])


class LaunchConfiguration(Substitution):
    """Reads a launch configuration, which is set by an argument or by an action."""

    def __init__(self, variable_name: SomeSubstitutionsType, *, default: Any = None) -> None:
        """Keep the name and the default, which may be of any type."""
        self.__name = normalize_to_list_of_substitutions(variable_name)
        self.__default = None if default is None else _normalize_default(default)

    @property
    def variable_name(self) -> list[Substitution]:
        """The name of the configuration."""
        return self.__name

    def describe(self) -> str:
        """Return the constructor call."""
        return f'LaunchConfig({" + ".join(each.describe() for each in self.__name)})'

    def perform(self, context: LaunchContext) -> str:
        """Return the value, else the default; SubstitutionFailure if there is neither."""
        name = perform_substitutions(context, self.__name)
        context.known_configurations.add(name)
        if name in context.launch_configurations:
            return str(context.launch_configurations[name])
        if self.__default is None:
            raise SubstitutionFailure(f'launch configuration {name!r} does not exist: declare or set it first')
        return perform_substitutions(context, self.__default)
