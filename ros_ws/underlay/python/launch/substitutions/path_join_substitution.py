"""A path from its parts."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ..launch_context import LaunchContext
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions


class PathJoinSubstitution(Substitution):
    """Joins parts with the separator of the system; each part is a text or a list to concatenate."""

    def __init__(self, substitutions: Iterable[SomeSubstitutionsType]) -> None:
        """Keep the parts."""
        self.__parts = [normalize_to_list_of_substitutions(part) for part in substitutions]

    @property
    def substitutions(self) -> list[list[Substitution]]:
        """The parts of the path."""
        return self.__parts

    def describe(self) -> str:
        """Return the constructor call."""
        return f'PathJoin({", ".join(" + ".join(s.describe() for s in part) for part in self.__parts)})'

    def perform(self, context: LaunchContext) -> str:
        """Return the path."""
        return os.path.join(*[perform_substitutions(context, part) for part in self.__parts])
