"""A condition that holds where a configuration has a value."""

from __future__ import annotations

from ..condition import Condition
from ..launch_context import LaunchContext
from ..some_substitutions_type import SomeSubstitutionsType
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions


class LaunchConfigurationEquals(Condition):
    """Holds where the configuration has the expected value; None expects it to be unset."""

    def __init__(self, launch_configuration_name: str, expected_value: SomeSubstitutionsType | None) -> None:
        """Keep the name and the value."""
        self.__name = launch_configuration_name
        self.__expected = None if expected_value is None else normalize_to_list_of_substitutions(expected_value)
        super().__init__(predicate=self._holds)

    def _holds(self, context: LaunchContext) -> bool:
        context.known_configurations.add(self.__name)
        expected = None if self.__expected is None else perform_substitutions(context, self.__expected)
        return bool(context.launch_configurations.get(self.__name) == expected)


class LaunchConfigurationNotEquals(LaunchConfigurationEquals):
    """Holds where the configuration has another value."""

    def _holds(self, context: LaunchContext) -> bool:
        return not super()._holds(context)
