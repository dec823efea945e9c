"""The text of a file."""

from __future__ import annotations

from ..launch_context import LaunchContext
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions
from .substitution_failure import SubstitutionFailure


class FileContent(Substitution):
    """Reads a file."""

    def __init__(self, path: SomeSubstitutionsType) -> None:
        """Keep the path."""
        self.__path = normalize_to_list_of_substitutions(path)

    def perform(self, context: LaunchContext) -> str:
        """Return the text of the file; SubstitutionFailure if it can't be read."""
        path = perform_substitutions(context, self.__path)
        try:
            with open(path, encoding='utf-8') as file:
                return file.read()
        except OSError as error:
            raise SubstitutionFailure(f'file {path} can not be read: {error.strerror}') from error
