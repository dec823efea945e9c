"""Launch descriptions from any file of a known kind; here that is Python only."""

from __future__ import annotations

from ..invalid_launch_file_error import InvalidLaunchFileError
from ..launch_description import LaunchDescription
from ..launch_description_source import LaunchDescriptionSource
from ..some_substitutions_type import SomeSubstitutionsType
from .python_launch_description_source import get_launch_description_from_python_launch_file


class AnyLaunchDescriptionSource(LaunchDescriptionSource):
    """A launch file whose kind is told from its name."""

    def __init__(self, launch_file_path: SomeSubstitutionsType) -> None:
        """Keep the path of the file."""
        super().__init__(None, launch_file_path, 'launch file')

    def _get_launch_description(self, location: str) -> LaunchDescription:
        if location.endswith(('.xml', '.yaml', '.yml')):
            raise InvalidLaunchFileError(
                f'launch file {location} is XML or YAML, which needs a full ROS 2: write it in Python or source one'
            )
        return get_launch_description_from_python_launch_file(location)
