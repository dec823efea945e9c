"""The index of a ring's slots: a dictionary, whatever is put in and taken out, in little memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.agents.slot_index import SlotIndex

SLOTS = 8


class Crowded(bytes):
    """A key that wants the place of many others."""

    def __hash__(self) -> int:
        return self[0] % 3 + 29


KEYS = [Crowded([number] * 16) for number in range(16)]
STEP = st.tuples(st.sampled_from(['put', 'take']), st.integers(0, 15), st.integers(0, SLOTS - 1))


@given(st.lists(STEP, max_size=200))
def test_it_is_a_dictionary_also_where_all_want_the_same_place(steps: list[tuple[str, int, int]]) -> None:
    held: list[Crowded | None] = [None] * SLOTS
    index, known = SlotIndex(SLOTS, lambda slot: held[slot] or b''), {}
    for step, number, slot in steps:
        key = KEYS[number]
        if step == 'take':
            index.take_out(key)
            known.pop(key, None)
            continue
        if (before := held[slot]) is not None and known.get(before) == slot:
            index.take_out(before)
            del known[before]
        held[slot] = key
        index.put(key, slot)
        known[key] = slot
        assert {each: index.find(each) for each in KEYS} == {each: known.get(each) for each in KEYS}
    index.clear()
    assert [index.find(key) for key in KEYS] == [None] * len(KEYS)


def test_it_holds_as_many_as_there_are_slots() -> None:
    keys = [number.to_bytes(16, 'big') for number in range(8192)]
    index = SlotIndex(len(keys), keys.__getitem__)
    for slot, key in enumerate(keys):
        index.put(key, slot)
    assert [index.find(key) for key in keys] == list(range(8192)) and index.find(b'x' * 16) is None


@pytest.mark.parametrize('slots', [0, -1, 65536])
def test_a_number_of_slots_that_has_no_room_is_refused(slots: int) -> None:
    with pytest.raises(ValueError, match=f'an index must have 1 to 65535 slots, got {slots}'):
        SlotIndex(slots, lambda slot: b'')
