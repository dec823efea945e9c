"""When a function of an agent fails again and again."""

from __future__ import annotations

from collections import deque

IN_A_ROW = 3
WINDOW_S = 60.0


class Failures:
    """The failures in a row of each function; times in seconds."""

    def __init__(self) -> None:
        self._failed: dict[object, deque[float]] = {}

    def ended_well(self, function: object) -> None:
        """The row is broken."""
        self._failed.pop(function, None)

    def failed(self, function: object, now_s: float) -> bool:
        """Whether this makes three in a row within a minute; then the next row begins."""
        row = self._failed.setdefault(function, deque(maxlen=IN_A_ROW))
        row.append(now_s)
        if len(row) < IN_A_ROW or row[-1] - row[0] > WINDOW_S:
            return False
        del self._failed[function]
        return True
