"""Whether DDS still works in this process: the thread of its timers must come round."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

# The thread of a Fast DDS participant that announces it, asks for what was lost and drops who is gone.
TIMERS = 'dds.ev.'
# With this profile it has something to do every 0.3 s.
PROFILE = 'config/dds/fastdds.xml'
LOOK_S = 0.5
STUCK_LOOKS = 4
# Threads are looked for less often than at: a process has dozens.
SEARCH_S = 5.0


class DdsWatch:
    """Looks twice a second at how often the kernel has run that thread.

    Fast DDS can block itself for good where endpoints of others go (eProsima/Fast-DDS#6502): the process then hears
    and finds nobody any more, and others drop it, while its own code goes on as if nothing had happened.
    """

    def __init__(self, tasks: Path = Path('/proc/self/task'), monotonic: Callable[[], float] = time.monotonic) -> None:
        self._tasks = tasks
        self._monotonic = monotonic
        self._next_s = 0.0 if os.environ.get('FASTDDS_DEFAULT_PROFILES_FILE', '').endswith(PROFILE) else float('inf')
        self._search_s = 0.0
        self._seen: dict[str, tuple[str, int]] = {}

    def stuck(self) -> bool:
        """Whether it has not run at four looks in a row, though it did not have to wait for a processor."""
        now_s = self._monotonic()
        if now_s < self._next_s:
            return False
        # A process that was stopped meanwhile has missed looks, not failed them.
        self._next_s = now_s + LOOK_S
        if now_s >= self._search_s:
            self._search_s = now_s + SEARCH_S
            self._seen = {task: self._seen.get(task, ('', 0)) for task in self._timers()}
        for task, (known, looks) in list(self._seen.items()):
            try:
                runs = (self._tasks / task / 'schedstat').read_text().split()[2]
                waits = (self._tasks / task / 'stat').read_text().rpartition(')')[2].split()[0] != 'R'
            except (OSError, IndexError):
                del self._seen[task]
            else:
                self._seen[task] = runs, looks + 1 if waits and runs == known else 0
        return any(looks >= STUCK_LOOKS for _, looks in self._seen.values())

    def _timers(self) -> Iterator[str]:
        for task in os.listdir(self._tasks):
            with suppress(OSError):
                if (self._tasks / task / 'comm').read_text().startswith(TIMERS):
                    yield task
