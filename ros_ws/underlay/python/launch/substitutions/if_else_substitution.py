"""One of two texts, by a condition."""

from __future__ import annotations

from ..launch_context import LaunchContext
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions


class IfElseSubstitution(Substitution):
    """Gives ``if_value`` where the condition is true, else ``else_value``."""

    def __init__(
        self,
        condition: SomeSubstitutionsType,
        if_value: SomeSubstitutionsType = '',
        else_value: SomeSubstitutionsType = '',
    ) -> None:
        """Keep the condition and both values."""
        self.__condition = normalize_to_list_of_substitutions(condition)
        self.__values = {
            True: normalize_to_list_of_substitutions(if_value),
            False: normalize_to_list_of_substitutions(else_value),
        }

    def perform(self, context: LaunchContext) -> str:
        """Return the value that the condition chooses."""
        from ..conditions.evaluate_condition_expression_impl import evaluate_condition_expression

        return perform_substitutions(context, self.__values[evaluate_condition_expression(context, self.__condition)])
