"""Append to an environment variable."""

from __future__ import annotations

import os
from typing import Any

from ..action import Action
from ..conditions import evaluate_condition_expression
from ..launch_context import LaunchContext
from ..some_substitutions_type import SomeSubstitutionsType
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions


class AppendEnvironmentVariable(Action):
    """Appends (or prepends) to a list such as PATH, until the end of the scope."""

    def __init__(
        self,
        name: SomeSubstitutionsType,
        value: SomeSubstitutionsType,
        prepend: bool | SomeSubstitutionsType = False,
        separator: SomeSubstitutionsType = os.pathsep,
        **kwargs: Any,
    ) -> None:
        """Keep the name, the value and where it goes."""
        super().__init__(**kwargs)
        self.__name = normalize_to_list_of_substitutions(name)
        self.__value = normalize_to_list_of_substitutions(value)
        self.__prepend = normalize_to_list_of_substitutions(str(prepend) if isinstance(prepend, bool) else prepend)
        self.__separator = normalize_to_list_of_substitutions(separator)

    def execute(self, context: LaunchContext) -> None:
        """Change the variable, or set it if there is none."""
        name = perform_substitutions(context, self.__name)
        parts = [perform_substitutions(context, self.__value)]
        if name in context.environment:
            old = context.environment[name]
            parts = [*parts, old] if evaluate_condition_expression(context, self.__prepend) else [old, *parts]
        context.environment[name] = perform_substitutions(context, self.__separator).join(parts)
