"""Whether an action is to be executed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .launch_context import LaunchContext


class Condition:
    """A predicate over the launch context."""

    def __init__(self, *, predicate: Callable[[LaunchContext], bool] | None = None) -> None:
        """Keep the predicate; without one the condition can't be evaluated."""
        self._predicate = predicate

    def describe(self) -> str:
        """Return a description that needs no context."""
        return f'{type(self).__name__}()'

    def evaluate(self, context: LaunchContext) -> bool:
        """Return whether the condition holds now."""
        if self._predicate is None:
            raise NotImplementedError(f'{type(self).__name__} has no predicate')
        return self._predicate(context)
