"""Do something later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..action import Action
from ..event_handler import EventHandler
from ..events.timer_event import TimerEvent
from ..launch_context import LaunchContext
from ..launch_description_entity import LaunchDescriptionEntity
from ..loop import Timer
from ..some_substitutions_type import SomeSubstitutionsType
from ..utilities import normalize_to_list_of_substitutions, perform_substitutions
from .opaque_function import OpaqueFunction


class TimerAction(Action):
    """Visits its actions once, after a period, unless it is cancelled or the launch ends."""

    def __init__(
        self,
        *,
        period: float | SomeSubstitutionsType,
        actions: Iterable[LaunchDescriptionEntity],
        cancel_on_shutdown: bool = True,
        **kwargs: Any,
    ) -> None:
        """Keep the period in seconds and the actions."""
        super().__init__(**kwargs)
        text = str(period) if isinstance(period, (int, float)) else period
        self.__period = normalize_to_list_of_substitutions(text)
        self.__actions = list(actions)
        self.__cancel_on_shutdown = cancel_on_shutdown
        self.__cancelled = False
        self.__timer: Timer | None = None
        self.__context: LaunchContext | None = None

    @property
    def actions(self) -> Sequence[LaunchDescriptionEntity]:
        """The actions."""
        return self.__actions

    def describe_conditional_sub_entities(self) -> list[tuple[str, Iterable[LaunchDescriptionEntity]]]:
        """Return the actions, visited when the period is over."""
        period = ' + '.join(each.describe() for each in self.__period)
        return [(f'{period} seconds pass without being canceled', self.__actions)]

    def execute(self, context: LaunchContext) -> None:
        """Start the timer; its actions see the local values of now."""
        if self.__cancelled:
            return
        self.__context = context
        values = dict(context.get_locals_as_dict())
        context.register_event_handler(
            EventHandler(
                matcher=lambda event: isinstance(event, TimerEvent) and event.timer_action is self,
                entities=[OpaqueFunction(function=lambda context: context.extend_locals(values)), *self.__actions],
                handle_once=True,
            )
        )
        context.set_running(self)
        period_s = float(perform_substitutions(context, self.__period))
        self.__timer = context.loop.call_later(period_s, self._fire)
        if self.__cancel_on_shutdown:
            context.cancel_on_shutdown(self)

    def cancel(self) -> None:
        """Make sure that the actions are not visited; has no effect once they are."""
        self.__cancelled = True
        if self.__timer is not None and not self.__timer.cancelled and self.__context is not None:
            self.__timer.cancel()
            self.__context.set_done(self)

    def _fire(self) -> None:
        if self.__context is not None:
            self.__context.emit_event_sync(TimerEvent(timer_action=self))
            self.__context.set_done(self)
