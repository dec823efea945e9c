"""Put the following nodes into a namespace."""

from __future__ import annotations

from typing import Any

from launch.action import Action
from launch.launch_context import LaunchContext
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

from ..utilities import make_namespace_absolute, prefix_namespace
from ..utilities.namespace_utils import check_namespace


class PushRosNamespace(Action):
    """Adds a namespace below the current one, until the end of the scope."""

    def __init__(self, namespace: SomeSubstitutionsType, **kwargs: Any) -> None:
        """Keep the namespace; an absolute one replaces the current one."""
        super().__init__(**kwargs)
        self.__namespace = normalize_to_list_of_substitutions(namespace)

    @property
    def namespace(self) -> list[Substitution]:
        """The namespace as it was given."""
        return self.__namespace

    def execute(self, context: LaunchContext) -> None:
        """Set the namespace; SubstitutionFailure if it is no valid one."""
        pushed = perform_substitutions(context, self.__namespace)
        base = context.launch_configurations.get('ros_namespace')
        namespace = make_namespace_absolute(prefix_namespace(base, pushed)) or '/'
        context.launch_configurations['ros_namespace'] = check_namespace(namespace)


PushROSNamespace = PushRosNamespace
