"""What to do when the launch ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..events.shutdown import Shutdown
from ..some_entities_type import SomeEntitiesType
from .on_action_event_base import OnActionEventBase


class OnShutdown(OnActionEventBase):
    """Handles the end of the launch."""

    event_type = Shutdown

    def __init__(self, *, on_shutdown: SomeEntitiesType | Callable[..., Any], **kwargs: Any) -> None:
        """Keep what to do: entities, or a function of event and context that returns them."""
        super().__init__(action_matcher=None, on_event=on_shutdown, **kwargs)
