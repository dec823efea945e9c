"""What to do when a lifecycle node has made a transition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from launch.event import Event
from launch.event_handler import EventHandler
from launch.some_entities_type import SomeEntitiesType

from ..events.lifecycle.state_transition import StateTransition

if TYPE_CHECKING:
    from ..actions.lifecycle_node import LifecycleNode


class OnStateTransition(EventHandler):
    """Visits entities when a node makes a transition, from or to a state if they are given."""

    def __init__(
        self,
        *,
        entities: SomeEntitiesType,
        target_lifecycle_node: LifecycleNode | None = None,
        transition: str | None = None,
        start_state: str | None = None,
        goal_state: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Keep the node and the labels to match; None matches any."""
        self.__target = target_lifecycle_node
        self.__labels = {'transition': transition, 'start_state': start_state, 'goal_state': goal_state}
        super().__init__(matcher=self._wanted, entities=entities, **kwargs)

    def _wanted(self, event: Event) -> bool:
        if not isinstance(event, StateTransition) or self.__target not in (None, event.action):
            return False
        return all(label in (None, getattr(event, name)) for name, label in self.__labels.items())
