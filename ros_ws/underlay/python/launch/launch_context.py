"""The state of a launch: configurations, environment, events and what is running."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any, Protocol

from .event import Event
from .loop import Loop

if TYPE_CHECKING:
    from .action import Action
    from .child import Child
    from .event_handler import BaseEventHandler
    from .substitution import Substitution


class Cancellable(Protocol):
    """Something that can be called off."""

    def cancel(self) -> None:
        """Call it off."""


class Locals:
    """Attribute access to the local values of the context."""

    def __init__(self, values: dict[str, Any]) -> None:
        """Show these values as attributes."""
        self.__dict__ = values


class LaunchContext:
    """What actions read and change while they are executed."""

    def __init__(self, *, argv: Iterable[str] | None = None, noninteractive: bool = False) -> None:
        """Start with no configurations and an idle event loop."""
        self.argv = list(argv or [])
        self.noninteractive = noninteractive
        self.launch_configurations: dict[str, Any] = {}
        self.known_configurations: set[str] = set()
        self.loop = Loop()
        self.events: deque[Event] = deque()
        self.starts: deque[Callable[[], None]] = deque()
        self.cleanups: list[Callable[[], None]] = []
        self.is_shutdown = False
        self.process_count = 0
        self.children: set[Child] = set()
        self._cancelled_by_shutdown: list[Cancellable] = []
        self._event_handlers: deque[BaseEventHandler] = deque()
        self._running: set[Action] = set()
        self._locals: dict[str, Any] = {}
        self._locals_stack: list[dict[str, Any]] = []
        self._configurations_stack: list[dict[str, Any]] = []
        self._environment_stack: list[dict[str, str]] = []
        self._initial_environment = dict(os.environ)

    @property
    def environment(self) -> MutableMapping[str, str]:
        """The environment that processes inherit."""
        return os.environ

    @property
    def locals(self) -> Locals:
        """The local values, such as ``event`` in an event handler."""
        return Locals(self._locals)

    def get_locals_as_dict(self) -> dict[str, Any]:
        """Return the local values."""
        return self._locals

    def extend_locals(self, values: dict[str, Any]) -> None:
        """Add local values to the current scope."""
        self._locals.update(values)

    def extend_globals(self, values: dict[str, Any]) -> None:
        """Add local values to the current scope and all around it."""
        for scope in (self._locals, *self._locals_stack):
            scope.update(values)

    def _push_locals(self) -> None:
        self._locals_stack.append(dict(self._locals))

    def _pop_locals(self) -> None:
        self._locals = self._locals_stack.pop()

    def _push_launch_configurations(self) -> None:
        self._configurations_stack.append(dict(self.launch_configurations))

    def _pop_launch_configurations(self) -> None:
        self.launch_configurations = self._configurations_stack.pop()

    def _push_environment(self) -> None:
        self._environment_stack.append(dict(self.environment))

    def _pop_environment(self) -> None:
        self._replace_environment(self._environment_stack.pop())

    def _reset_environment(self) -> None:
        self._replace_environment(self._initial_environment)

    def _replace_environment(self, values: dict[str, str]) -> None:
        for name in set(self.environment) - set(values):
            del self.environment[name]
        self.environment.update(values)

    def perform_substitution(self, substitution: Substitution) -> str:
        """Return the text of a substitution."""
        return substitution.perform(self)

    @property
    def event_handlers(self) -> tuple[BaseEventHandler, ...]:
        """The registered handlers, the newest first."""
        return tuple(self._event_handlers)

    def register_event_handler(self, event_handler: BaseEventHandler) -> None:
        """Let the handler see the events from now on, before all earlier handlers."""
        self._event_handlers.appendleft(event_handler)

    def unregister_event_handler(self, event_handler: BaseEventHandler) -> None:
        """Take a handler out; ValueError if it is not registered."""
        self._event_handlers.remove(event_handler)

    def would_handle_event(self, event: Event) -> bool:
        """Return whether some handler matches the event."""
        return any(handler.matches(event) for handler in self._event_handlers)

    def emit_event_sync(self, event: Event) -> None:
        """Queue the event; it is handled after the current one."""
        self.events.append(event)

    def emit_completion(self, action: Action) -> None:
        """Queue the event that says that the action has done all it does."""
        from .events.execution_complete import ExecutionComplete

        self.emit_event_sync(ExecutionComplete(action=action))

    def start_later(self, start: Callable[[], None]) -> None:
        """Call ``start`` once everything described has been visited without an error."""
        self.starts.append(start)

    def set_running(self, action: Action) -> None:
        """Keep the launch alive until the action is done."""
        self._running.add(action)

    def set_done(self, action: Action) -> None:
        """Stop waiting for the action."""
        self._running.discard(action)
        self.emit_completion(action)

    def is_running(self, action: Action) -> bool:
        """Return whether the action still has something to do."""
        return action in self._running

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs and nothing waits to be handled."""
        return not (self._running or self.events or self.starts or self.loop.has_timers)

    def cancel_on_shutdown(self, what: Cancellable) -> None:
        """Have something called off when the launch begins to end."""
        self._cancelled_by_shutdown.append(what)

    def begin_shutdown(self) -> None:
        """Start nothing more, from now on."""
        self.is_shutdown = True
        for each in self._cancelled_by_shutdown:
            each.cancel()

    def check_children(self) -> None:
        """Look which processes have ended."""
        for child in list(self.children):
            child.check()
        self.children = {child for child in self.children if not child.is_over}

    def close(self) -> None:
        """Remove temporary files and close all that is open."""
        for child in self.children:
            child.close()
        for clean_up in self.cleanups:
            clean_up()
        self.loop.close()
