"""Back-off: grows, is bounded, and forgets after success."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loom.sense.pace import Pace
from loom.sense.reconnect import Backoff


@given(st.integers(1, 500), st.floats(0.01, 10), st.floats(10, 100))
def test_waits_grow_up_to_the_limit(failures: int, first_s: float, limit_s: float) -> None:
    backoff = Backoff(first_s, limit_s)
    waits = [backoff.failed(0) for _ in range(failures)]
    assert waits == sorted(waits) and waits[0] == first_s and waits[-1] <= limit_s


def test_it_is_due_when_the_wait_is_over() -> None:
    backoff = Backoff(first_s=1.0)
    assert backoff.due(0)
    backoff.failed(10)
    assert not backoff.due(10 + 999_999_999) and backoff.due(10 + 1_000_000_000)


def test_success_forgets() -> None:
    backoff = Backoff()
    backoff.failed(5)
    backoff.succeeded()
    assert backoff.wait_s() == 0.0 and backoff.due(0)


@given(st.integers(5, 60), st.integers(1, 10))
def test_a_stream_is_thinned(stream_hz: int, wanted_hz: int) -> None:
    pace = Pace(wanted_hz)
    used = sum(pace.due(round(i * 1e9 / stream_hz)) for i in range(stream_hz * 10))
    assert used <= 10 * wanted_hz / 0.9 + 1
    assert used >= min(10 * stream_hz, 10 * wanted_hz) / 2


def test_a_clock_that_goes_back_stops_nothing() -> None:
    pace = Pace(1.0)
    assert pace.due(100 * 10**9) and pace.due(10**9)
