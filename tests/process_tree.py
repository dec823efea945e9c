"""What the kernel says of processes: who began whom, what they call themselves, and who still runs."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


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


def runs(pid: int) -> bool:
    """Whether a process has not ended."""
    with suppress(OSError):
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] not in 'ZX'
    return False
