"""Launch descriptions from ``generate_launch_description()`` of a Python file."""

from __future__ import annotations

import os
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from types import ModuleType

from ..invalid_launch_file_error import InvalidLaunchFileError
from ..launch_description import LaunchDescription
from ..launch_description_source import LaunchDescriptionSource
from ..some_substitutions_type import SomeSubstitutionsType


def load_python_launch_file_as_module(path: str) -> ModuleType:
    """Execute the file and return it as a module."""
    if not os.path.isfile(path):
        raise InvalidLaunchFileError(f'there is no launch file {path}')
    loader = SourceFileLoader('python_launch_file', path)
    spec = spec_from_loader(loader.name, loader)
    if spec is None:
        raise InvalidLaunchFileError(f'launch file {path} is not a Python file')
    module = module_from_spec(spec)
    try:
        loader.exec_module(module)
    except Exception as error:
        raise InvalidLaunchFileError(f'launch file {path} does not load: {type(error).__name__}: {error}') from error
    return module


def get_launch_description_from_python_launch_file(path: str) -> LaunchDescription:
    """Return what the file's ``generate_launch_description()`` returns."""
    generate = getattr(load_python_launch_file_as_module(path), 'generate_launch_description', None)
    if generate is None:
        raise InvalidLaunchFileError(f'launch file {path} must define generate_launch_description()')
    try:
        description = generate()
    except Exception as error:
        raise InvalidLaunchFileError(f'launch file {path} fails: {type(error).__name__}: {error}') from error
    if not isinstance(description, LaunchDescription):
        raise InvalidLaunchFileError(
            f'generate_launch_description() of {path} must return a LaunchDescription, got {description!r}'
        )
    return description


class PythonLaunchDescriptionSource(LaunchDescriptionSource):
    """A Python launch file."""

    def __init__(self, launch_file_path: SomeSubstitutionsType) -> None:
        """Keep the path of the file."""
        super().__init__(None, launch_file_path, 'interpreted python launch file')

    def _get_launch_description(self, location: str) -> LaunchDescription:
        return get_launch_description_from_python_launch_file(location)
