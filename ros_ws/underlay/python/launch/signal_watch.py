"""Turn the signals of this process into calls on the event loop."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from .loop import Loop


def _leave_to_loop(number: int, frame: Any) -> None:
    """Do nothing: the wake-up descriptor tells the loop."""


def _is_kept_ignored(number: int) -> bool:
    """Return whether a signal is ignored on purpose, as nohup does; SIGINT is ignored in any job begun with &."""
    return number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN


@contextmanager
def watch_signals(loop: Loop, numbers: Iterable[int], handler: Callable[[int], None]) -> Iterator[None]:
    """Call ``handler(number)`` from the loop for each signal, also where SIGINT was inherited as ignored."""
    loop.on_signal = handler
    previous_fd = signal.set_wakeup_fd(loop.wakeup_fd, warn_on_full_buffer=False)
    wanted = [number for number in numbers if not _is_kept_ignored(number)]
    previous = {number: signal.signal(number, _leave_to_loop) for number in wanted}
    try:
        yield
    finally:
        for number, action in previous.items():
            signal.signal(number, signal.SIG_DFL if action is None else action)
        signal.set_wakeup_fd(previous_fd)
        loop.on_signal = None
