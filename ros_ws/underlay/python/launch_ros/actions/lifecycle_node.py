"""Run a lifecycle node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from launch.actions import OpaqueFunction
from launch.event import Event
from launch.event_handler import EventHandler
from launch.launch_context import LaunchContext
from launch.some_substitutions_type import SomeSubstitutionsType

from ..events.lifecycle import ChangeState, StateTransition
from .node import Node


class LifecycleNode(Node):
    """Starts a node whose transitions are events: StateTransition is emitted, ChangeState is obeyed."""

    def __init__(self, *, name: SomeSubstitutionsType, namespace: SomeSubstitutionsType, **kwargs: Any) -> None:
        """Keep what is known of the node; name and namespace are required."""
        super().__init__(name=name, namespace=namespace, **kwargs)
        self.__change: Callable[[int], None] | None = None

    def execute(self, context: LaunchContext) -> None:
        """Have the node started, and its transitions watched where something handles or asks for them."""
        super().execute(context)
        context.register_event_handler(
            EventHandler(matcher=self._is_asked, entities=OpaqueFunction(function=self._change_state))
        )
        context.start_later(lambda: self._watch(context))

    def _is_asked(self, event: Event) -> bool:
        return isinstance(event, ChangeState) and bool(event.lifecycle_node_matcher(self))

    def _change_state(self, context: LaunchContext) -> None:
        if not context.is_shutdown:
            self._watch(context, always=True)
            if self.__change is not None:
                self.__change(context.locals.event.transition_id)  # type: ignore[attr-defined]

    def _watch(self, context: LaunchContext, always: bool = False) -> None:
        """Join the ROS network, which costs a while, only if it is of use."""
        from ..event_handlers import OnStateTransition
        from ..lifecycle_watch import lifecycle_watch

        wanted = any(isinstance(handler, OnStateTransition) for handler in context.event_handlers)
        if self.__change is None and not context.is_shutdown and (wanted or always):
            self.__change = lifecycle_watch(context).watch(
                self.node_name, lambda message: context.emit_event_sync(StateTransition(action=self, msg=message))
            )
