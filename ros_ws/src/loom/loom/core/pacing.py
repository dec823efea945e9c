"""How a source does less while its readers are slow: it asks how much room there is, and thins out what it makes."""

from __future__ import annotations

# So many events that can go out without waiting are plenty: readers grant credit anew long before it runs out.
PLENTY = 16


class Throttle:
    """Lets everything through while there is room, ever less as it shrinks, nothing without; all again at once."""

    def __init__(self, plenty: int = PLENTY) -> None:
        self.passed = 0
        self.held_back = 0
        self._plenty = plenty
        self._due = 0.0

    def level(self, room: int) -> float:
        """The share of its full rate or resolution that a source should give, from 0 to 1, for what `Bus.room` says."""
        return min(max(room, 0) / self._plenty, 1.0)

    def admits(self, room: int) -> bool:
        """Whether the next of a steady flow of events should be made, evenly spread at each level."""
        if room > 0:
            self._due += self.level(room)
        if room > 0 and self._due >= 1.0:
            self._due -= 1.0
            self.passed += 1
            return True
        self.held_back += 1
        return False
