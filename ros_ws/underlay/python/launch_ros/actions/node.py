"""Run a ROS node."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml
from launch.actions import ExecuteProcess
from launch.launch_context import LaunchContext
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.substitutions import SubstitutionFailure
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions

from ..substitutions import ExecutableInPackage
from ..utilities import evaluate_parameters, make_namespace_absolute, prefix_namespace, write_parameter_file
from ..utilities.namespace_utils import check_namespace, check_node_name

Remapping = tuple[SomeSubstitutionsType, SomeSubstitutionsType]


def _optional(text: SomeSubstitutionsType | None) -> list[Substitution] | None:
    return None if text is None else normalize_to_list_of_substitutions(text)


def parameter_arguments(context: LaunchContext, node: str, evaluated: Any) -> list[str]:
    """Return the words that give a node a file, a dictionary or one parameter."""
    if isinstance(evaluated, Path):
        if not evaluated.is_file():
            raise SubstitutionFailure(f'there is no parameter file {evaluated}')
        return ['--params-file', str(evaluated)]
    if isinstance(evaluated, dict):
        return ['--params-file', write_parameter_file(context, node, evaluated)] if evaluated else []
    name, value = evaluated
    text = yaml.safe_dump(value, default_flow_style=True, width=float('inf'))
    return ['-p', f'{name}:={text.strip().removesuffix("...").strip()}']


class Node(ExecuteProcess):
    """Starts the executable of a package with name, namespace, parameters and remappings."""

    UNSPECIFIED_NODE_NAME = '<node_name_unspecified>'
    UNSPECIFIED_NODE_NAMESPACE = '<node_namespace_unspecified>'

    def __init__(
        self,
        *,
        executable: SomeSubstitutionsType,
        package: SomeSubstitutionsType | None = None,
        name: SomeSubstitutionsType | None = None,
        namespace: SomeSubstitutionsType | None = None,
        exec_name: SomeSubstitutionsType | None = None,
        parameters: Sequence[Any] | None = None,
        remappings: Iterable[Remapping] | None = None,
        ros_arguments: Iterable[SomeSubstitutionsType] | None = None,
        arguments: Iterable[SomeSubstitutionsType] | None = None,
        **kwargs: Any,
    ) -> None:
        """Keep what is known of the node; see :class:`launch.actions.ExecuteProcess` for the rest."""
        if isinstance(parameters, (str, dict)):
            raise TypeError(f'parameters must be a list of files and dictionaries, got {parameters!r}')
        program = executable if package is None else ExecutableInPackage(package=package, executable=executable)
        super().__init__(cmd=[program, *(arguments or [])], name=exec_name, **kwargs)
        self.__package = package
        self.__executable = executable
        self.__name = _optional(name)
        self.__namespace = _optional(namespace)
        self.__parameters = list(parameters or [])
        self.__remappings = [tuple(normalize_to_list_of_substitutions(e) for e in pair) for pair in remappings or []]
        self.__ros_arguments = [normalize_to_list_of_substitutions(each) for each in ros_arguments or []]
        self.expanded_node_name = self.UNSPECIFIED_NODE_NAME
        self.expanded_node_namespace = self.UNSPECIFIED_NODE_NAMESPACE
        self.expanded_remapping_rules: list[tuple[str, str]] = []

    @property
    def node_package(self) -> SomeSubstitutionsType | None:
        """The package as it was given."""
        return self.__package

    @property
    def node_executable(self) -> SomeSubstitutionsType:
        """The executable as it was given."""
        return self.__executable

    @property
    def node_name(self) -> str:
        """The full name of the node, once it is prepared."""
        return f'{self.expanded_node_namespace.rstrip("/")}/{self.expanded_node_name}'

    def is_node_name_fully_specified(self) -> bool:
        """Return whether both name and namespace are given from outside."""
        unspecified = (self.UNSPECIFIED_NODE_NAME, self.UNSPECIFIED_NODE_NAMESPACE)
        return not any(each in self.node_name for each in unspecified)

    def _extra_arguments(self, context: LaunchContext) -> list[str]:
        """Return the words for ROS: name, namespace, parameters and remappings."""
        words = ['--ros-args', *(perform_substitutions(context, each) for each in self.__ros_arguments)]
        words += self._name_arguments(context) + self._namespace_arguments(context)
        node = self.node_name if self.is_node_name_fully_specified() else '/**'
        for entry in context.launch_configurations.get('global_params', []):
            words += parameter_arguments(context, '/**', entry)
        for evaluated in evaluate_parameters(context, self.__parameters):
            words += parameter_arguments(context, node, evaluated)
        return words + self._remap_arguments(context)

    def _name_arguments(self, context: LaunchContext) -> list[str]:
        if self.__name is None:
            return []
        self.expanded_node_name = check_node_name(perform_substitutions(context, self.__name))
        return ['-r', f'__node:={self.expanded_node_name}']

    def _namespace_arguments(self, context: LaunchContext) -> list[str]:
        own = None if self.__namespace is None else perform_substitutions(context, self.__namespace)
        base = context.launch_configurations.get('ros_namespace')
        namespace = make_namespace_absolute(prefix_namespace(base, own))
        if namespace is None:
            return []
        self.expanded_node_namespace = check_namespace(namespace)
        return ['-r', f'__ns:={namespace}']

    def _remap_arguments(self, context: LaunchContext) -> list[str]:
        rules = list(context.launch_configurations.get('ros_remaps', []))
        for source, target in self.__remappings:
            rules.append((perform_substitutions(context, source), perform_substitutions(context, target)))
        self.expanded_remapping_rules = rules
        return [word for source, target in rules for word in ('-r', f'{source}:={target}')]
