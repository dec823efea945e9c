"""Finds a key among slots that lie in memory already: two bytes an entry, where a dict of keys takes a hundred."""

from __future__ import annotations

from array import array
from collections.abc import Callable

# So many times more entries than slots: few keys lie where another belongs.
ROOM = 4
MAX_SLOTS = 1 << 16


class SlotIndex:
    """From keys to the slots 0 ... `slots` - 1; `key_at` reads the key of a slot that was put in.

    A hash table with linear probing whose gaps are closed (Knuth, The Art of Computer Programming 3, 6.4, algorithm R):
    what is taken out leaves nothing behind, so that it is as fast after a year.
    """

    def __init__(self, slots: int, key_at: Callable[[int], bytes]) -> None:
        if not 0 < slots < MAX_SLOTS:
            raise ValueError(f'an index must have 1 to {MAX_SLOTS - 1} slots, got {slots}')
        self._mask = (1 << (ROOM * slots - 1).bit_length()) - 1
        # A slot's number and one; 0 is empty.
        self._table = array('H', bytes(array('H').itemsize * (self._mask + 1)))
        self._key_at = key_at

    def find(self, key: bytes) -> int | None:
        """The slot of a key."""
        slot = self._table[self._place(key)]
        return slot - 1 if slot else None

    def put(self, key: bytes, slot: int) -> None:
        """The key is in this slot from now on, and in no other."""
        self._table[self._place(key)] = slot + 1

    def take_out(self, key: bytes) -> None:
        """Forgets a key, as long as its slot still holds it."""
        table, mask = self._table, self._mask
        gap = place = self._place(key)
        while table[place := (place + 1) & mask]:
            home = hash(self._key_at(table[place] - 1)) & mask
            if (place - home) & mask >= (place - gap) & mask:
                table[gap] = table[place]
                gap = place
        table[gap] = 0

    def clear(self) -> None:
        """Forgets all keys."""
        self._table = array('H', bytes(len(self._table) * self._table.itemsize))

    def _place(self, key: bytes) -> int:
        table, mask = self._table, self._mask
        place = hash(key) & mask
        while (slot := table[place]) and self._key_at(slot - 1) != key:
            place = (place + 1) & mask
        return place
