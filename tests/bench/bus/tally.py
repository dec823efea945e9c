"""Counters in a file that several processes map: whoever is killed has still written down all that it did."""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path

_COUNT = struct.Struct('<q')


class Tally:
    """So many 64-bit counters, 0 at first; one writer each, any number of readers."""

    def __init__(self, path: Path, size: int) -> None:
        handle = os.open(path, os.O_RDWR | os.O_CREAT)
        try:
            os.ftruncate(handle, size * _COUNT.size)
            self._map = mmap.mmap(handle, size * _COUNT.size)
        finally:
            os.close(handle)
        self._size = size

    def __getitem__(self, index: int) -> int:
        return int(_COUNT.unpack_from(self._map, index * _COUNT.size)[0])

    def __setitem__(self, index: int, value: int) -> None:
        _COUNT.pack_into(self._map, index * _COUNT.size, value)

    def __len__(self) -> int:
        return self._size

    def add(self, index: int, number: int = 1) -> None:
        """Counts up."""
        self[index] += number

    def total(self) -> int:
        """All counters together."""
        return sum(self[index] for index in range(self._size))
