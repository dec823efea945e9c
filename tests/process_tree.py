"""What the kernel says of processes: who began whom, what they call themselves, what they hold, who still runs."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

SHARED = Path('/dev/shm')
# Number of threads, counted from the state: proc_pid_stat(5).
THREADS = 17


def children(pid: int) -> list[int]:
    """The processes that a process began and that still run, the oldest first."""
    found = []
    for task in Path(f'/proc/{pid}/task').glob('*/children'):
        with suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return sorted(pid for pid in found if runs(pid))


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    return [pid, *(each for child in children(pid) for each in family(child))]


def name_of(pid: int) -> str:
    """The name that a process has given itself; empty where it has ended."""
    with suppress(OSError):
        return Path(f'/proc/{pid}/comm').read_text().strip()
    return ''


def shared_memory(pid: int) -> set[Path]:
    """Segments and ports of DDS that a process has open, with their locks; none where it has ended."""
    found = set()
    with suppress(OSError):
        for handle in os.listdir(f'/proc/{pid}/fd'):
            with suppress(OSError):
                target = Path(os.readlink(f'/proc/{pid}/fd/{handle}').removesuffix(' (deleted)'))
                if target.parent == SHARED:
                    name = target.name.removesuffix('_el')
                    found |= {SHARED / name, SHARED / f'{name}_el', SHARED / f'sem.{name}_mutex'}
    return found


def runs(pid: int) -> bool:
    """Whether a process, or a thread of one whose first thread is gone already, has not ended."""
    with suppress(OSError):
        fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
        return fields[0] not in 'ZX' or int(fields[THREADS]) > 1
    return False
