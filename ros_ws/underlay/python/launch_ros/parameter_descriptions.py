"""Parameters with more than a plain value."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from launch.conditions import evaluate_condition_expression
from launch.launch_context import LaunchContext
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.substitutions import SubstitutionFailure
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

from .parameter_file import write_temporary_file
from .parameter_file_text import substitute_text
from .parameter_value import coerce_value


class ParameterValue:
    """A value whose type is given: ``value_type=str`` keeps a text from being read as YAML."""

    def __init__(self, value: Any, *, value_type: Any = None) -> None:
        """Keep the value and its type: bool, int, float, str, a List of one of them, or None for any."""
        self.__value = value
        self.__type = value_type

    @property
    def value(self) -> Any:
        """The value as it was given."""
        return self.__value

    @property
    def value_type(self) -> Any:
        """The type, None for any."""
        return self.__type

    def evaluate(self, context: LaunchContext, name: str = '') -> Any:
        """Return the value; SubstitutionFailure if it is not of the type."""
        parts = self.__value if isinstance(self.__value, (list, tuple)) else [self.__value]
        if any(isinstance(part, Substitution) for part in parts) or isinstance(self.__value, str):
            text = perform_substitutions(context, normalize_to_list_of_substitutions(self.__value))
            return coerce_value(text, self.__type, name)
        return self.__value if self.__type is not str else str(self.__value)


class Parameter:
    """One parameter, given to the node as ``-p name:=value``."""

    def __init__(self, name: SomeSubstitutionsType, value: Any, *, value_type: Any = None) -> None:
        """Keep name, value and type; see :class:`ParameterValue`."""
        self.__name = normalize_to_list_of_substitutions(name)
        self.__value = ParameterValue(value, value_type=value_type)

    @property
    def name(self) -> list[Substitution]:
        """The name."""
        return self.__name

    @property
    def value(self) -> Any:
        """The value as it was given."""
        return self.__value.value

    @property
    def value_type(self) -> Any:
        """The type, None for any."""
        return self.__value.value_type

    def evaluate(self, context: LaunchContext) -> tuple[str, Any]:
        """Return name and value."""
        name = perform_substitutions(context, self.__name)
        return name, self.__value.evaluate(context, name)


class ParameterFile:
    """A YAML file of parameters; with ``allow_substs`` its ``$(var x)`` are replaced."""

    def __init__(
        self,
        param_file: SomeSubstitutionsType | os.PathLike[str],
        *,
        allow_substs: bool | SomeSubstitutionsType = False,
    ) -> None:
        """Keep the path."""
        path = os.fspath(param_file) if isinstance(param_file, os.PathLike) else param_file
        self.__path = normalize_to_list_of_substitutions(path)
        text: Any = str(allow_substs) if isinstance(allow_substs, bool) else allow_substs
        self.__allow_substs = normalize_to_list_of_substitutions(text)

    @property
    def param_file(self) -> Iterable[Substitution]:
        """The path as it was given."""
        return self.__path

    def evaluate(self, context: LaunchContext) -> Path:
        """Return the path, of a temporary file if substitutions are replaced."""
        path = Path(perform_substitutions(context, self.__path))
        if not evaluate_condition_expression(context, self.__allow_substs):
            return path
        try:
            text = path.read_text(encoding='utf-8')
        except OSError as error:
            raise SubstitutionFailure(f'parameter file {path} can not be read: {error.strerror}') from error
        return Path(write_temporary_file(context, substitute_text(context, text)))
