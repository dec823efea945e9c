"""Reclaims the shared memory that killed DDS processes leave behind."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from loom.core.clock import NANOSECONDS, SystemClock

FOLDER = Path('/dev/shm')
LOCK = '_el'
PREFIXES = ('fastdds_', 'fastrtps_')


def reclaim(own: bool = False, folder: Path = FOLDER, min_age_s: float = 0.0) -> int:
    """Removes Fast DDS segments whose owner is dead; with `own`, also those of this process. Returns how many.

    Fast DDS holds a lock on `<segment>_el` for as long as the owner lives, and takes it just after making the file:
    while others may be starting, give the age below which a segment is left alone.
    """
    removed = 0
    for lock in (path for prefix in PREFIXES for path in folder.glob(f'{prefix}*{LOCK}')):
        if (own and _held_by_us(lock)) or (_older(lock, min_age_s) and _abandoned(lock)):
            removed += 1
            segment = lock.name[:-len(LOCK)]
            for path in (folder / segment, lock, folder / f'sem.{segment}_mutex'):
                path.unlink(missing_ok=True)
    return removed


def _older(lock: Path, age_s: float) -> bool:
    with suppress(FileNotFoundError):
        return age_s <= 0 or SystemClock().now_ns() - lock.stat().st_mtime_ns > age_s * NANOSECONDS
    return False


def _abandoned(lock: Path) -> bool:
    try:
        with lock.open('rb') as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return False
    return True


def _held_by_us(lock: Path) -> bool:
    target = str(lock)
    for handle in Path('/proc/self/fd').iterdir():
        try:
            if os.readlink(handle) == target:
                return True
        except OSError:
            continue
    return False
