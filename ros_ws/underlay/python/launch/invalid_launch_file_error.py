"""The error of a launch file that can't be loaded."""

from .errors import LaunchError


class InvalidLaunchFileError(LaunchError):
    """The launch file is missing, of an unknown kind or raises when it is loaded."""
