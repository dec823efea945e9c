"""The error of a substitution that has no text."""

from ..errors import LaunchError


class SubstitutionFailure(LaunchError):
    """A substitution can't be performed in this context."""
