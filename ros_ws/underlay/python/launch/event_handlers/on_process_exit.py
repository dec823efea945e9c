"""What to do when a process has ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..action import Action
from ..events.process.process_exited import ProcessExited
from ..some_entities_type import SomeEntitiesType
from .on_action_event_base import OnActionEventBase


class OnProcessExit(OnActionEventBase):
    """Handles the end of a process."""

    event_type = ProcessExited

    def __init__(
        self,
        *,
        target_action: Action | Callable[[Action], bool] | None = None,
        on_exit: SomeEntitiesType | Callable[..., Any] | None,
        **kwargs: Any,
    ) -> None:
        """Keep the target and what to do: entities, or a function of event and context that returns them."""
        super().__init__(action_matcher=target_action, on_event=on_exit, **kwargs)
