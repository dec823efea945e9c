"""Not, and, or, any and all of truth values."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..launch_context import LaunchContext
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions


class _Combination(Substitution):
    """Combines truth values lazily, from left to right."""

    combine: Callable[[Iterable[bool]], bool]

    def __init__(self, *values: SomeSubstitutionsType) -> None:
        """Keep the values, each a text that is true, false, 1 or 0."""
        self._values = [normalize_to_list_of_substitutions(value) for value in values]

    def describe(self) -> str:
        """Return the constructor call."""
        values = ', '.join(' + '.join(each.describe() for each in value) for value in self._values)
        return f'{type(self).__name__}({values})'

    def perform(self, context: LaunchContext) -> str:
        """Return 'true' or 'false'."""
        from ..conditions.evaluate_condition_expression_impl import evaluate_condition_expression

        return str(type(self).combine(evaluate_condition_expression(context, v) for v in self._values)).lower()


class NotSubstitution(_Combination):
    """The opposite of a value."""

    combine = staticmethod(lambda values: not next(iter(values)))

    def __init__(self, value: SomeSubstitutionsType) -> None:
        """Keep the value."""
        super().__init__(value)


class AndSubstitution(_Combination):
    """Whether both values are true."""

    combine = staticmethod(all)

    def __init__(self, left: SomeSubstitutionsType, right: SomeSubstitutionsType) -> None:
        """Keep both values."""
        super().__init__(left, right)


class OrSubstitution(_Combination):
    """Whether a value is true."""

    combine = staticmethod(any)

    def __init__(self, left: SomeSubstitutionsType, right: SomeSubstitutionsType) -> None:
        """Keep both values."""
        super().__init__(left, right)


class AllSubstitution(_Combination):
    """Whether all values are true."""

    combine = staticmethod(all)


class AnySubstitution(_Combination):
    """Whether some value is true."""

    combine = staticmethod(any)
