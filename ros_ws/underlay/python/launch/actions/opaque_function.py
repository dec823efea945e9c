"""Call a function while launching."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..action import Action
from ..launch_context import LaunchContext
from ..launch_description_entity import LaunchDescriptionEntity


class OpaqueFunction(Action):
    """Calls ``function(context, *args, **kwargs)``, which may return entities to visit."""

    def __init__(
        self,
        *,
        function: Callable[..., Any],
        args: Iterable[Any] | None = None,
        kwargs: dict[str, Any] | None = None,
        **left_over_kwargs: Any,
    ) -> None:
        """Keep the function and its arguments."""
        super().__init__(**left_over_kwargs)
        self.__function = function
        self.__args = list(args or [])
        self.__kwargs = dict(kwargs or {})

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:
        """Call the function and return its entities."""
        entities: Sequence[LaunchDescriptionEntity] | None = self.__function(context, *self.__args, **self.__kwargs)
        return entities
