"""Several actions as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..action import Action
from ..launch_context import LaunchContext
from ..launch_description_entity import LaunchDescriptionEntity
from ..some_substitutions_type import SomeSubstitutionsType
from .pop_environment import PopEnvironment
from .pop_launch_configurations import PopLaunchConfigurations
from .push_environment import PushEnvironment
from .push_launch_configurations import PushLaunchConfigurations
from .reset_environment import ResetEnvironment
from .reset_launch_configurations import ResetLaunchConfigurations
from .set_launch_configuration import SetLaunchConfiguration


class GroupAction(Action):
    """Visits its actions in a scope: configurations and environment are as before when it is left.

    With ``scoped=False`` changes stay; with ``forwarding=False`` the scope begins empty.
    """

    def __init__(
        self,
        actions: Iterable[LaunchDescriptionEntity],
        *,
        scoped: bool = True,
        forwarding: bool = True,
        launch_configurations: Mapping[Any, SomeSubstitutionsType] | None = None,
        **left_over_kwargs: Any,
    ) -> None:
        """Keep the actions and the configurations that are set for them."""
        super().__init__(**left_over_kwargs)
        self.__actions = list(actions)
        self.__scoped = scoped
        self.__forwarding = forwarding
        self.__configurations = dict(launch_configurations or {})

    def get_sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        """Return the actions within what makes the scope."""
        settings = [SetLaunchConfiguration(name, value) for name, value in self.__configurations.items()]
        if not self.__scoped:
            return [*settings, *self.__actions]
        inner: list[LaunchDescriptionEntity] = [*settings]
        if not self.__forwarding:
            inner = [ResetEnvironment(), ResetLaunchConfigurations(self.__configurations)]
        begin = [PushLaunchConfigurations(), PushEnvironment()]
        return [*begin, *inner, *self.__actions, PopEnvironment(), PopLaunchConfigurations()]

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity]:
        """Return the actions within what makes the scope."""
        return self.get_sub_entities()
