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
    """Removes Fast DDS segments and ports whose owner is dead; with `own`, also those of this process.

    Fast DDS holds a lock on `<segment>_el` for as long as the owner lives, and takes it just after making the file:
    while others may be starting, give the age below which a segment is left alone. A port to which somebody wrote
    and nobody listened has no lock: it is dead when no process has it in memory. Returns how many were removed.
    """
    names = {path.name.removesuffix(LOCK) for prefix in PREFIXES for path in folder.glob(f'{prefix}*')}
    lockless = {name for name in names if not (folder / f'{name}{LOCK}').exists()}
    dead = {name for name in names - lockless
            if _older(folder / name, min_age_s) and not _locked(folder / f'{name}{LOCK}')}
    dead |= lockless - _mapped(folder) if lockless else set()
    ours = {name for name in names if own and _held_by_us(folder / f'{name}{LOCK}')}
    for name in dead | ours:
        for path in (folder / name, folder / f'{name}{LOCK}', folder / f'sem.{name}_mutex'):
            with suppress(FileNotFoundError, PermissionError):
                path.unlink()
    return len(dead | ours)


def _older(segment: Path, age_s: float) -> bool:
    for path in (segment, segment.with_name(segment.name + LOCK)):
        with suppress(FileNotFoundError):
            if SystemClock().now_ns() - path.stat().st_mtime_ns < age_s * NANOSECONDS:
                return False
    return True


def _locked(lock: Path) -> bool:
    try:
        with lock.open('rb') as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _mapped(folder: Path) -> set[str]:
    found = set()
    for maps in Path('/proc').glob('[0-9]*/maps'):
        with suppress(OSError):
            lines = maps.read_text().splitlines()
            found |= {Path(words[5]).name for words in (line.split(maxsplit=5) for line in lines)
                      if len(words) == 6 and words[5].startswith(f'{folder}/')}
    return found


def _held_by_us(lock: Path) -> bool:
    for handle in Path('/proc/self/fd').iterdir():
        with suppress(OSError):
            if os.readlink(handle) == str(lock):
                return True
    return False
