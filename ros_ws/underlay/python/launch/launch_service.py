"""Run launch descriptions until everything has ended."""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Callable, Iterable

from . import logging
from .errors import LaunchError
from .event import Event
from .events.include_launch_description import IncludeLaunchDescription
from .events.shutdown import Shutdown
from .launch_context import LaunchContext
from .launch_description import LaunchDescription
from .launch_description_entity import LaunchDescriptionEntity
from .loop import Loop
from .signal_watch import watch_signals
from .utilities import normalize_to_list_of_entities

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)


class LaunchService:
    """Visits descriptions, starts their processes together, handles events and ends everything."""

    def __init__(self, *, argv: Iterable[str] | None = None, noninteractive: bool = False, debug: bool = False) -> None:
        """Prepare an empty context; ``debug`` shows tracebacks."""
        self.__context = LaunchContext(argv=argv, noninteractive=noninteractive)
        self.__logger = logging.get_logger()
        self.__debug = debug
        self.__code = 0

    @property
    def context(self) -> LaunchContext:
        """The state of the launch."""
        return self.__context

    @property
    def event_loop(self) -> Loop:
        """The event loop."""
        return self.__context.loop

    def emit_event(self, event: Event) -> None:
        """Queue an event; may be called from any thread."""
        self.__context.loop.call_soon_threadsafe(lambda: self.__context.emit_event_sync(event))

    def include_launch_description(self, launch_description: LaunchDescription) -> None:
        """Have a description visited."""
        self.__context.emit_event_sync(IncludeLaunchDescription(launch_description))

    def shutdown(self, force_sync: bool = False) -> None:
        """Begin to end everything; may be called from any thread."""
        self.emit_event(Shutdown(reason='LaunchService.shutdown() called'))

    def run(self, *, shutdown_when_idle: bool = True) -> int:
        """Run until everything has ended; returns 0, or 1 after an exception. To be called on the main thread."""
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError('LaunchService.run() must be called on the main thread, which gets the signals')
        with watch_signals(self.__context.loop, (*ENDING_SIGNALS, signal.SIGCHLD), self._on_signal):
            try:
                while not self._is_over(shutdown_when_idle):
                    self._guarded(self.__context.loop.run_once)
            finally:
                self._clean_up()
        return self.__code

    def _is_over(self, shutdown_when_idle: bool) -> bool:
        """Handle all that is queued; returns whether nothing is left to wait for."""
        while self.__context.events or self.__context.starts:
            self._guarded(self._handle_next)
        if not self.__context.is_idle:
            return False
        if not self.__context.is_shutdown and shutdown_when_idle:
            self.__context.emit_event_sync(Shutdown(reason='idle'))
            return self._is_over(shutdown_when_idle)
        return self.__context.is_shutdown

    def _guarded(self, step: Callable[[], None]) -> None:
        """Take a step; an exception ends the launch with code 1."""
        try:
            step()
        except Exception as error:
            self.__code = 1
            self.__logger.error(self._describe(error))
            if self.__debug:
                self.__logger.error(traceback.format_exc())
            if not self.__context.is_shutdown:
                self.__context.events.clear()
                self._shut_down(Shutdown(reason=f'Caught exception in launch: {error}'))

    def _describe(self, error: Exception) -> str:
        """Return one line; the errors of launch files say all themselves."""
        if isinstance(error, LaunchError):
            return str(error)
        return f'Caught exception in launch (see debug for traceback): {type(error).__name__}: {error}'

    def _handle_next(self) -> None:
        """Handle the oldest event or, when there is none, start the next process."""
        if not self.__context.events:
            self.__context.starts.popleft()()
            return
        event = self.__context.events.popleft()
        if isinstance(event, IncludeLaunchDescription):
            self._visit(event.launch_description)
        elif isinstance(event, Shutdown):
            self._shut_down(event)
        else:
            self._handle(event)

    def _handle(self, event: Event) -> None:
        """Let all handlers that match handle the event."""
        for handler in self.__context.event_handlers:
            if not handler.matches(event):
                continue
            self.__context._push_locals()
            try:
                for entity in normalize_to_list_of_entities(handler.handle(event, self.__context)):
                    self._visit(entity)
            finally:
                self.__context._pop_locals()

    def _visit(self, entity: LaunchDescriptionEntity) -> None:
        """Visit an entity and all that it yields, depth first."""
        for sub_entity in normalize_to_list_of_entities(entity.visit(self.__context)):
            self._visit(sub_entity)

    def _shut_down(self, event: Shutdown) -> None:
        """Begin to end everything, once."""
        if self.__context.is_shutdown:
            return
        self.__context.begin_shutdown()
        self._handle(event)

    def _on_signal(self, number: int) -> None:
        """Look after children that ended, or begin to end everything."""
        if number == signal.SIGCHLD:
            self.__context.check_children()
            return
        name = signal.Signals(number).name
        if self.__context.is_shutdown:
            self.__logger.warning(f'user interrupted with {name} again, ignoring...')
            return
        self.__logger.warning(f'user interrupted with {"ctrl-c (SIGINT)" if name == "SIGINT" else name}')
        self.__context.emit_event_sync(Shutdown(reason=f'signal {name}', due_to_sigint=number == signal.SIGINT))

    def _clean_up(self) -> None:
        """Remove temporary files and close all that is open."""
        self.__context.close()
        logging.launch_config.files.close()
