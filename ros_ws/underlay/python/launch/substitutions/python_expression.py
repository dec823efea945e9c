"""The value of a Python expression."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

from ..launch_context import LaunchContext
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions
from .substitution_failure import SubstitutionFailure


class PythonExpression(Substitution):
    """Evaluates an expression; the names of ``math`` are known without their module."""

    def __init__(
        self, expression: SomeSubstitutionsType, python_modules: Iterable[SomeSubstitutionsType] = ('math',)
    ) -> None:
        """Keep the expression and the names of the modules it may use."""
        self.__expression = normalize_to_list_of_substitutions(expression)
        modules = [python_modules] if isinstance(python_modules, str) else python_modules
        self.__modules = [normalize_to_list_of_substitutions(each) for each in modules]

    @property
    def expression(self) -> list[Substitution]:
        """The expression."""
        return self.__expression

    def describe(self) -> str:
        """Return the constructor call."""
        return f'PythonExpr({" + ".join(each.describe() for each in self.__expression)})'

    def perform(self, context: LaunchContext) -> str:
        """Return the value as text; SubstitutionFailure if the expression is wrong."""
        expression = perform_substitutions(context, self.__expression)
        names: dict[str, object] = {}
        for each in self.__modules:
            module = import_module(perform_substitutions(context, each))
            names[module.__name__] = module
            if module.__name__ == 'math':
                names.update(vars(module))
        try:
            return str(eval(expression, {}, names))
        except Exception as error:
            raise SubstitutionFailure(f'Python expression {expression!r} fails: {error}') from error
