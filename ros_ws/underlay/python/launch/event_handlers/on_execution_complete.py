"""What to do when an action is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..action import Action
from ..events.execution_complete import ExecutionComplete
from ..some_entities_type import SomeEntitiesType
from .on_action_event_base import OnActionEventBase


class OnExecutionComplete(OnActionEventBase):
    """Handles the end of an action."""

    event_type = ExecutionComplete

    def __init__(
        self,
        *,
        target_action: Action | Callable[[Action], bool] | None = None,
        on_completion: SomeEntitiesType | Callable[..., Any] | None,
        **kwargs: Any,
    ) -> None:
        """Keep the target and what to do: entities, or a function of event and context that returns them."""
        super().__init__(action_matcher=target_action, on_event=on_completion, **kwargs)
