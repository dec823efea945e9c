"""Run a command from its start to the end of its group, again if it is to respawn."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from typing import Any

from .. import logging
from ..action import Action
from ..child import Child
from ..conditions import evaluate_condition_expression
from ..descriptions import Executable
from ..errors import LaunchError
from ..escalation import Escalation
from ..event import Event
from ..event_handlers.on_process_exit import OnProcessExit
from ..events.process import ProcessExited, ProcessStarted, ProcessStderr, ProcessStdout
from ..launch_context import LaunchContext
from ..launch_description_entity import LaunchDescriptionEntity
from ..loop import Timer
from ..process_output import OutputOption, ProcessOutput
from ..some_entities_type import SomeEntitiesType
from ..some_substitutions_type import SomeSubstitutionsType
from ..substitution import Substitution
from ..substitutions.launch_configuration import LaunchConfiguration
from ..utilities import normalize_to_list_of_entities, normalize_to_list_of_substitutions, perform_substitutions
from .process_requests import ProcessRequests

ExitHandler = SomeEntitiesType | Callable[[Event, LaunchContext], Any]
SIGTERM_TIMEOUT = LaunchConfiguration('sigterm_timeout', default=5)
SIGKILL_TIMEOUT = LaunchConfiguration('sigkill_timeout', default=5)
DEFAULT_FORMAT = '[{this.process_description.final_name}] {line}'


def _texts(value: Any) -> list[Substitution]:
    """Return a text, number or truth value as substitutions."""
    return normalize_to_list_of_substitutions(str(value) if isinstance(value, (bool, int, float)) else value)


class ExecuteLocal(Action):
    """Starts a process, shows its output, and ends it with the launch."""

    def __init__(
        self,
        *,
        process_description: Executable,
        shell: bool = False,
        sigterm_timeout: SomeSubstitutionsType | float = SIGTERM_TIMEOUT,
        sigkill_timeout: SomeSubstitutionsType | float = SIGKILL_TIMEOUT,
        emulate_tty: bool = False,
        output: SomeSubstitutionsType | OutputOption = 'log',
        output_format: str = DEFAULT_FORMAT,
        cached_output: bool = False,
        log_cmd: bool = False,
        on_exit: ExitHandler | None = None,
        respawn: bool | SomeSubstitutionsType = False,
        respawn_delay: float | None = None,
        respawn_max_retries: int = -1,
        **kwargs: Any,
    ) -> None:
        """Keep how to run the command; timeouts are seconds, negative ``respawn_max_retries`` means for ever."""
        super().__init__(**kwargs)
        self.process_description = process_description
        self._shell = shell
        self._timeouts = _texts(sigterm_timeout), _texts(sigkill_timeout)
        self._emulate_tty = emulate_tty
        self._output_option = output if isinstance(output, dict) else _texts(output)
        self._output_format = output_format
        self._cached_output = cached_output
        self._log_cmd = log_cmd
        self._on_exit = on_exit
        self._respawn = _texts(respawn)
        self._respawn_delay_s = respawn_delay or 0.0
        self._retries_left = respawn_max_retries
        self._executed = False
        self._child: Child | None = None
        self._respawn_timer: Timer | None = None
        self._return_code: int | None = None

    @property
    def process_details(self) -> dict[str, Any] | None:
        """Action, name, command, folder, environment and, once started, pid; None before the execution."""
        if not self._executed:
            return None
        what = self.process_description
        details = {'action': self, 'name': what.final_name, 'cmd': what.final_cmd, 'cwd': what.final_cwd}
        pid = {} if self._child is None else {'pid': self._child.pid}
        return {**details, 'env': what.final_env, **pid}

    @property
    def return_code(self) -> int | None:
        """The last exit code, None while there is none."""
        return self._return_code

    def get_stdout(self) -> str:
        """Return all that went to stdout; RuntimeError unless it is cached."""
        return self._output.cached(1)

    def get_stderr(self) -> str:
        """Return all that went to stderr; RuntimeError unless it is cached."""
        return self._output.cached(2)

    def get_sub_entities(self) -> Sequence[LaunchDescriptionEntity]:
        """Return what is done on exit, unless a function decides that."""
        return [] if callable(self._on_exit) else normalize_to_list_of_entities(self._on_exit)

    def prepare(self, context: LaunchContext) -> None:
        """Find the command and all settings now, while the scope of the action holds."""
        self.process_description.prepare(context, self, self._extra_arguments(context))

    def _extra_arguments(self, context: LaunchContext) -> Sequence[str]:
        return []

    def execute(self, context: LaunchContext) -> Sequence[LaunchDescriptionEntity] | None:
        """Prepare the process and have it started once all of the description is visited."""
        if self._executed:
            raise LaunchError(f'{self.process_description.final_name} is executed more than once: make two actions')
        self.prepare(context)
        self._executed = True
        if context.is_shutdown:
            return None
        self._prepare_run(context)
        context.register_event_handler(ProcessRequests(self, self._end, self._signal))
        if self._on_exit is not None:
            context.register_event_handler(OnProcessExit(target_action=self, on_exit=self._on_exit))
        context.set_running(self)
        context.start_later(lambda: self._start(context))
        return None

    def _prepare_run(self, context: LaunchContext) -> None:
        """Find the settings that are used after the scope of the action is left."""
        name = self.process_description.final_name
        self._logger = logging.get_logger(name)
        option = context.environment.get('OVERRIDE_LAUNCH_PROCESS_OUTPUT') or self._output_option
        text = perform_substitutions(context, option) if isinstance(option, list) else option
        self._output = ProcessOutput(name, text, self._format_line, self._cached_output)
        self._may_respawn = evaluate_condition_expression(context, self._respawn)
        if 'emulate_tty' in context.launch_configurations:
            self._emulate_tty = evaluate_condition_expression(context, [LaunchConfiguration('emulate_tty')])
        sigterm_s, sigkill_s = (float(perform_substitutions(context, each)) for each in self._timeouts)
        self._escalation = Escalation(context.loop, self._logger, self._send, sigterm_s, sigkill_s)

    def _format_line(self, line: str) -> str:
        return self._output_format.format(line=line, this=self)

    def _start(self, context: LaunchContext) -> None:
        """Start the process, unless the launch has begun to end."""
        self._respawn_timer = None
        if context.is_shutdown:
            context.set_done(self)
            return
        what = self.process_description
        if self._log_cmd:
            self._logger.info(f"process details: cmd='{' '.join(what.final_cmd)}', cwd='{what.final_cwd}'")
        try:
            self._child = Child(
                context.loop,
                what.final_cmd,
                cwd=what.final_cwd,
                env=what.final_env,
                shell=self._shell,
                emulate_tty=self._emulate_tty,
                on_output=lambda stream, data: self._show(context, stream, data),
                on_exit=lambda code: self._exited(context, code),
            )
        except OSError as error:
            self._logger.error(f'exception occurred while executing process: {error}')
            context.set_done(self)
            return
        context.children.add(self._child)
        self._logger.info(f'process started with pid [{self._child.pid}]')
        context.emit_event_sync(ProcessStarted(**self._details()))

    def _details(self) -> dict[str, Any]:
        return self.process_details or {}

    def _show(self, context: LaunchContext, stream: int, data: bytes) -> None:
        self._output.feed(stream, data)
        kind = ProcessStdout if stream == 1 else ProcessStderr
        context.emit_event_sync(kind(text=data, **self._details()))

    def _exited(self, context: LaunchContext, code: int) -> None:
        """Tell the end of the process, and start it again if it is to respawn."""
        self._output.flush()
        self._escalation.stop()
        self._return_code = code
        details = self._details()
        if code == 0:
            self._logger.info(f'process has finished cleanly [pid {details["pid"]}]')
        else:
            command = ' '.join(part for part in details['cmd'] if part.strip())
            self._logger.error(f"process has died [pid {details['pid']}, exit code {code}, cmd '{command}'].")
        context.emit_event_sync(ProcessExited(returncode=code, **details))
        ending = self._child is not None and self._child.ending
        if not self._may_respawn or ending or context.is_shutdown or self._retries_left == 0:
            context.set_done(self)
            return
        self._retries_left -= 1
        self._respawn_timer = context.loop.call_later(self._respawn_delay_s, lambda: self._start(context))

    def _end(self, context: LaunchContext) -> None:
        """Begin to end the process for good."""
        if self._respawn_timer is not None:
            self._respawn_timer.cancel()
            self._respawn_timer = None
            context.set_done(self)
        elif self._child is not None and not (self._child.ending or self._child.ended):
            self._child.ending = True
            self._escalation.start()

    def _send(self, number: int) -> None:
        if self._child is not None:
            self._child.send(number)

    def _signal(self, number: signal.Signals) -> None:
        """Send a signal that was asked for."""
        self._logger.info(f"sending signal '{number.name}' to process[{self._logger.name}]")
        self._send(number)
