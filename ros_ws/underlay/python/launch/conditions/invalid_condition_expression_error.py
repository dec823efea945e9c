"""The error of a condition that is neither true nor false."""

from ..errors import LaunchError


class InvalidConditionExpressionError(LaunchError):
    """The text of a condition is not a truth value."""
