"""An argument of a launch description."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..action import Action
from ..errors import LaunchError
from ..launch_context import LaunchContext
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions


class DeclareLaunchArgument(Action):
    """Makes a launch configuration an argument with a default, a description and choices."""

    def __init__(
        self,
        name: str,
        *,
        default_value: SomeSubstitutionsType | None = None,
        description: str | None = None,
        choices: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> None:
        """Keep what is known of the argument; one without a default is required."""
        super().__init__(**kwargs)
        self.__name = name
        self.__default = None if default_value is None else normalize_to_list_of_substitutions(default_value)
        self.__choices = None if choices is None else list(choices)
        self.__description = description or 'no description given'
        self.conditionally_included = False
        if self.__choices is not None:
            self._check_choices(default_value)

    def _check_choices(self, default: SomeSubstitutionsType | None) -> None:
        if not self.__choices:
            raise ValueError(f'choices of launch argument {self.__name!r} must name at least one value')
        if isinstance(default, str) and default not in self.__choices:
            raise ValueError(self._refusal(default))
        self.__description += f' Valid choices are: {self.__choices}'

    def _refusal(self, value: str) -> str:
        choices = ', '.join(self.__choices or [])
        return f'launch argument {self.__name!r} must be one of {choices}; got {value!r}'

    @property
    def name(self) -> str:
        """The name of the argument."""
        return self.__name

    @property
    def default_value(self) -> list[Substitution] | None:
        """The default, None for a required argument."""
        return self.__default

    @property
    def description(self) -> str:
        """What the argument is for, with its choices."""
        return self.__description

    @property
    def choices(self) -> list[str] | None:
        """The values that are allowed, None for any."""
        return self.__choices

    def execute(self, context: LaunchContext) -> None:
        """Set the configuration to its default if it is not set; LaunchError if its value is not allowed."""
        context.known_configurations.add(self.__name)
        if self.__name not in context.launch_configurations:
            if self.__default is None:
                raise LaunchError(
                    f'launch argument {self.__name!r} is required ({self.__description}): pass {self.__name}:=<value>'
                )
            context.launch_configurations[self.__name] = perform_substitutions(context, self.__default)
        value = context.launch_configurations[self.__name]
        if self.__choices is not None and value not in self.__choices:
            raise LaunchError(self._refusal(value))
