"""A process is sent a signal."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from .process_targeted_event import ProcessTargetedEvent


class SignalProcess(ProcessTargetedEvent):
    """Asks that processes get a signal."""

    name = 'launch.events.process.SignalProcess'

    def __init__(self, *, signal_number: str | int | signal.Signals, process_matcher: Callable[[Any], bool]) -> None:
        """Keep the signal, given by number or by name."""
        super().__init__(process_matcher=process_matcher)
        by_name = isinstance(signal_number, str)
        self.__signal = signal.Signals[signal_number] if by_name else signal.Signals(signal_number)  # type: ignore

    @property
    def signal(self) -> signal.Signals:
        """The signal."""
        return self.__signal

    @property
    def signal_name(self) -> str:
        """The name of the signal, such as 'SIGINT'."""
        return self.__signal.name
