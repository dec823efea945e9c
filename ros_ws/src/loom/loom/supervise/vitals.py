"""Whether a process lives: its signs of life, and what the kernel says of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from loom.supervise.crew import descendants, stopped
from loom.supervise.settings import Supervision

NEVER = float('inf')
# Between two looks at what the kernel says.
LOOK_S = 0.25
# Counting what a process began means to look at each of its threads.
COUNT_S = 1.0
# A process that waited for a processor for this share of its silence is not hung: the machine has too much to do ...
STARVED = 0.5
# ... but its silence may not last so many times as long as it should.
MOST = 3.0


@dataclass
class Vitals:
    """Of one process; all times in seconds of the keeper's clock."""

    silent_at_s: float = NEVER
    patience_s: float = 0.0
    _stopped_s: float = NEVER
    _heard_s: float = 0.0
    _count_s: float = 0.0
    _silent: tuple[float, float] | None = None

    def expect(self, now_s: float, within_s: float) -> None:
        """The next sign of life must come within this time."""
        self.silent_at_s, self.patience_s, self._heard_s, self._silent = now_s + within_s, within_s, now_s, None

    def nothing(self) -> None:
        """No sign is expected."""
        self.silent_at_s, self._stopped_s = NEVER, NEVER

    def look(self, pid: int, now_s: float, settings: Supervision) -> str:
        """Asks the kernel, every LOOK_S; why the process must be replaced, or an empty text."""
        # One that is stopped in the middle of a transition has longer to give a sign, and will not use it.
        self._stopped_s = min(self._stopped_s, now_s) if stopped(pid) else NEVER
        # This is known and not guessed, so that the rest of the time is for the kill and for telling of it.
        if now_s - self._stopped_s >= settings.heartbeat_s - 2.0 * LOOK_S:
            return f'was stopped by a signal for {now_s - self._stopped_s:.1f} s'
        if now_s >= self._count_s:
            self._count_s = now_s + COUNT_S
            if (number := descendants(pid)) > settings.max_children:
                return f'has begun {number} processes, and {settings.max_children} is the most'
        if self._silent is None and now_s > self._heard_s + LOOK_S:
            self._silent = now_s, waited_s(pid)
        return ''

    def silence(self, pid: int, now_s: float) -> str:
        """That no sign came in time; an empty text while one may still come, as the process was kept from running."""
        if self.silent_at_s > now_s:
            return ''
        if self._silent is not None and now_s < self._heard_s + MOST * self.patience_s:
            since_s, waited_before_s = self._silent
            if waited_s(pid) - waited_before_s > STARVED * (now_s - since_s):
                self.silent_at_s = now_s + LOOK_S
                return ''
        return f'gave no sign for {self.patience_s:g} s'


def waited_s(pid: int) -> float:
    """How long the main thread of a process was ready to run and had no processor, since it began."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f'/proc/{pid}/schedstat').read_text().split()[1]) / 1e9
    return 0.0
