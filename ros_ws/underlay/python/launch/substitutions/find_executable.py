"""The path of a program."""

from __future__ import annotations

import shutil

from ..launch_context import LaunchContext
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions
from .substitution_failure import SubstitutionFailure


class FindExecutable(Substitution):
    """Looks a program up on PATH."""

    def __init__(self, *, name: SomeSubstitutionsType) -> None:
        """Keep the name of the program."""
        self.__name = normalize_to_list_of_substitutions(name)

    @property
    def name(self) -> list[Substitution]:
        """The name of the program."""
        return self.__name

    def describe(self) -> str:
        """Return the constructor call."""
        return f'FindExec({" + ".join(each.describe() for each in self.__name)})'

    def perform(self, context: LaunchContext) -> str:
        """Return the path; SubstitutionFailure if there is no such program."""
        name = perform_substitutions(context, self.__name)
        path = shutil.which(name, path=context.environment.get('PATH'))
        if path is None:
            raise SubstitutionFailure(f'no executable {name!r} on PATH: install it')
        return path
