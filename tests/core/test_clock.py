"""Clocks: the manual one is exact, the system's moves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loom.core.clock import NANOSECONDS, ManualClock, SystemClock


@given(st.integers(0, 2**60), st.lists(st.integers(0, 10_000), max_size=20))
def test_a_manual_clock_moves_when_told_to_and_adds_up(start_ns: int, steps_ms: list[int]) -> None:
    clock = ManualClock(start_ns)
    for step in steps_ms:
        clock.advance(step / 1000)
    assert clock.now_ns() == start_ns + sum(steps_ms) * NANOSECONDS // 1000


def test_the_system_clock_counts_from_1970() -> None:
    first = SystemClock().now_ns()
    assert first > 1_600_000_000 * NANOSECONDS and SystemClock().now_ns() >= first
