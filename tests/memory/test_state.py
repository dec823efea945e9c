"""State: typed, versioned, and with its own error for each thing that can be wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loom.core.errors import StateError
from loom.memory.sqlite_store import SqliteStore
from loom.memory.state import MAX_VALUE_BYTES, Snapshot, State
from loom.memory.store import Store

JSON = st.recursive(st.none() | st.booleans() | st.integers(-2**53, 2**53) | st.text(max_size=10)
                    | st.floats(allow_nan=False, allow_infinity=False),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
                    max_leaves=8)


class Walk(Snapshot):
    laps: int = 0
    places: list[str] = []


class LaterWalk(Walk):
    VERSION: ClassVar[int] = 2


def test_values_belong_to_their_agent(opener: Callable[[], Store]) -> None:
    state = State(opener())
    state.put('ann', 'laps', 3)
    state.put('bob', 'laps', {'n': [1, None]})
    state = State(opener())
    assert (state.get('ann', 'laps'), state.get('bob', 'laps'), state.get('ann', 'x', 7)) == (3, {'n': [1, None]}, 7)
    state.forget('ann', 'laps')
    assert (state.all('ann'), state.all('bob')) == ({}, {'laps': {'n': [1, None]}})


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=JSON)
def test_what_goes_in_comes_out(value: object) -> None:
    store = SqliteStore()
    State(store).put('ann', 'it', value)
    assert State(store).get('ann', 'it') == value


def test_a_model_comes_back_as_itself() -> None:
    state = State(SqliteStore())
    assert state.load('ann', 'walk', Walk) is None
    state.put('ann', 'walk', Walk(laps=2, places=['hall']))
    assert state.load('ann', 'walk', Walk) == Walk(laps=2, places=['hall'])
    assert state.load('ann', 'walk', LaterWalk) == LaterWalk(laps=2, places=['hall'])


def test_what_a_newer_version_wrote_is_refused() -> None:
    state = State(SqliteStore())
    state.put('ann', 'walk', LaterWalk(laps=2))
    state.put('ann', 'plain', 1, version=5)
    for read in (lambda: state.load('ann', 'walk', Walk), lambda: state.get('ann', 'plain')):
        with pytest.raises(StateError, match='a newer Loom wrote it') as refused:
            read()
        assert refused.value.code == 401


def test_what_does_not_fit_is_refused() -> None:
    store = SqliteStore()
    state = State(store)
    state.put('ann', 'walk', {'laps': 'many'})
    with pytest.raises(StateError, match='is no Walk of version 1'):
        state.load('ann', 'walk', Walk)
    for value in (object(), float('nan'), 'x' * MAX_VALUE_BYTES):
        with pytest.raises(StateError, match=r'ann\.x must') as refused:
            state.put('ann', 'x', value)
        assert refused.value.code == 406
    store.put('state/ann', {'torn': b'{"version": 1'})
    with pytest.raises(StateError, match=r'ann\.torn is damaged') as refused:
        state.get('ann', 'torn')
    assert refused.value.code == 402
