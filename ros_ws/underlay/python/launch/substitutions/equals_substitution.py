"""Whether two texts are the same."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ..launch_context import LaunchContext
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions


def _normalize(value: Any) -> list[Substitution]:
    """Return a text, number or truth value as substitutions."""
    if isinstance(value, (str, Substitution)) or not isinstance(value, Iterable):
        value = [value]
    return normalize_to_list_of_substitutions([v if isinstance(v, (str, Substitution)) else str(v) for v in value])


def _same(left: str, right: str) -> bool:
    """Return whether the texts are equal as texts, truth values or numbers."""
    truths = {'true': True, '1': True, 'false': False, '0': False}
    if left == right:
        return True
    if left.lower() in truths and right.lower() in truths:
        return truths[left.lower()] == truths[right.lower()]
    try:
        return math.isclose(float(left), float(right))
    except ValueError:
        return False


class EqualsSubstitution(Substitution):
    """Gives 'true' if both sides are equal, else 'false'."""

    def __init__(self, left: Any, right: Any) -> None:
        """Keep both sides: texts, substitutions, lists of them, numbers or truth values."""
        self.__left = _normalize(left)
        self.__right = _normalize(right)

    @property
    def left(self) -> list[Substitution]:
        """The left side."""
        return self.__left

    @property
    def right(self) -> list[Substitution]:
        """The right side."""
        return self.__right

    def describe(self) -> str:
        """Return the constructor call."""
        sides = [' + '.join(each.describe() for each in side) for side in (self.__left, self.__right)]
        return f'{type(self).__name__}({" ".join(sides)})'

    def perform(self, context: LaunchContext) -> str:
        """Return 'true' or 'false'."""
        left, right = (perform_substitutions(context, side) for side in (self.__left, self.__right))
        return str(_same(left, right)).lower()
