"""How a process is made to end: SIGINT, after a while SIGTERM, after another SIGKILL."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable

from .loop import Loop, Timer


class Escalation:
    """Sends ever stronger signals until it is stopped."""

    def __init__(
        self, loop: Loop, logger: logging.Logger, send: Callable[[int], None], sigterm_s: float, sigkill_s: float
    ) -> None:
        """Keep the periods: SIGTERM ``sigterm_s`` after SIGINT, SIGKILL ``sigkill_s`` after SIGTERM."""
        self._loop = loop
        self._logger = logger
        self._send = send
        self._sigterm_s = sigterm_s
        self._sigkill_s = sigkill_s
        self._timers: list[Timer] = []

    def start(self) -> None:
        """Send SIGINT now and prepare the rest."""
        later = (
            (self._sigterm_s, self._sigterm_s, signal.SIGINT, signal.SIGTERM),
            (self._sigterm_s + self._sigkill_s, self._sigkill_s, signal.SIGTERM, signal.SIGKILL),
        )
        for due, period, before, number in later:
            self._timers.append(self._loop.call_later(due, self._step(period, before, number)))
        self._logger.info(f"sending signal 'SIGINT' to process[{self._logger.name}]")
        self._send(signal.SIGINT)

    def stop(self) -> None:
        """Send nothing more."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _step(self, period: float, before: signal.Signals, number: signal.Signals) -> Callable[[], None]:
        def escalate() -> None:
            self._logger.error(
                f"process[{self._logger.name}] failed to terminate '{period:g}' seconds after receiving "
                f"'{before.name}', escalating to '{number.name}'"
            )
            self._send(number)

        return escalate
