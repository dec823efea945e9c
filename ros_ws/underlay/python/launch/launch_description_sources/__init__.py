"""The kinds of files that give launch descriptions."""

from .any_launch_description_source import AnyLaunchDescriptionSource
from .python_launch_description_source import (
    PythonLaunchDescriptionSource,
    get_launch_description_from_python_launch_file,
)

__all__ = [
    'AnyLaunchDescriptionSource',
    'PythonLaunchDescriptionSource',
    'get_launch_description_from_python_launch_file',
]
