"""A condition that holds where a text is true."""

from __future__ import annotations

from ..condition import Condition
from ..launch_context import LaunchContext
from ..some_substitutions_type import SomeSubstitutionsType
from ..utilities import normalize_to_list_of_substitutions
from .evaluate_condition_expression_impl import evaluate_condition_expression


class IfCondition(Condition):
    """Holds where the text is true or 1."""

    def __init__(self, predicate_expression: SomeSubstitutionsType) -> None:
        """Keep the text."""
        self.__expression = normalize_to_list_of_substitutions(predicate_expression)
        super().__init__(predicate=self._holds)

    def _holds(self, context: LaunchContext) -> bool:
        return evaluate_condition_expression(context, self.__expression)

    def describe(self) -> str:
        """Return the constructor call."""
        return f'{type(self).__name__}({" + ".join(each.describe() for each in self.__expression)})'
