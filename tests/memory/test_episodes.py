"""Episodes: found by place, time and words; repeated ones become facts; bounded, and forgotten by their worth."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.core.clock import NANOSECONDS, ManualClock
from loom.core.errors import StateError
from loom.memory.episode import HALF_LIFE_S, Episode, Query
from loom.memory.episodes import Episodes, Limits
from loom.memory.sqlite_store import SqliteStore
from loom.memory.store import Store

KITCHEN, HALL = (4.0, 3.0), (0.0, 0.0)


class Life:
    """Episodes with a clock that is set by hand."""

    def __init__(self, limits: Limits | None = None, store: Store | None = None) -> None:
        self.clock = ManualClock(NANOSECONDS)
        self.store = store or SqliteStore()
        self.limits = limits
        self.episodes = Episodes(self.store, self.clock, limits)

    def sees(self, text: str, place: tuple[float, float] | None = KITCHEN, importance: float = 0.5) -> Episode:
        return self.episodes.record('object', text, self.clock.now_ns(), place, importance)

    def texts(self, **query: object) -> list[str]:
        return [episode.text for episode in self.episodes.find(Query(**query))]

    def passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.episodes.tidy()


def test_what_was_seen_near_the_kitchen_in_the_last_ten_minutes() -> None:
    life = Life()
    life.sees('red ball')
    life.passes(900)
    life.sees('blue box', (4.5, 3.5))
    life.sees('green cone', HALL)
    life.sees('low battery', None)
    life.passes(60)
    since = life.clock.now_ns() - 600 * NANOSECONDS
    near = {'x': 4.0, 'y': 3.0, 'radius_m': 2.0}
    assert life.texts(**near, since_ns=since) == ['blue box']
    assert life.texts(**near) == ['blue box', 'red ball']
    assert life.texts(**near, until_ns=since) == ['red ball']
    assert set(life.texts(since_ns=since)) == {'blue box', 'green cone', 'low battery'}
    assert life.texts(text='Ball red') == ['red ball'] and life.texts(text='balloon') == []
    assert life.texts(kind='sound') == [] and len(life.texts(limit=2)) == 2


def test_what_stays_in_view_is_one_episode() -> None:
    life = Life()
    for _ in range(5):
        life.sees('red ball')
        life.clock.advance(10)
    life.sees('red ball', HALL)
    here, there = (life.episodes.find(Query(x=x, y=y))[0] for x, y in (KITCHEN, HALL))
    assert (here.count, here.last_ns - here.first_ns, there.count) == (5, 40 * NANOSECONDS, 1)
    life.passes(120)
    life.sees('red ball')
    assert life.texts() == ['red ball'] * 3
    assert life.episodes.counts() == {'working': 1, 'episodic': 2, 'long_term': 0}


def test_what_repeats_becomes_a_fact() -> None:
    life = Life()
    for _ in range(4):
        life.sees('red ball', importance=0.3)
        life.passes(1800)
    life.sees('blue box')
    life.passes(7200)
    (fact,) = [e for e in life.episodes.find(Query()) if e.tier == 'long_term']
    assert (fact.text, fact.count, fact.importance) == ('red ball', 4, 0.3)
    assert fact.last_ns - fact.first_ns == 3 * 1800 * NANOSECONDS
    assert life.texts() == ['blue box', 'red ball']
    life.sees('red ball')
    life.passes(7200)
    assert [e.count for e in life.episodes.find(Query(text='red ball'))] == [5]


def test_the_least_worth_is_forgotten_first() -> None:
    life = Life(Limits(episodic=3, long_term=1, consolidate_s=1e9))
    for text, importance in (('old and important', 1.0), ('old', 0.2), ('a', 0.3), ('b', 0.3), ('c', 0.3)):
        life.sees(text, importance=importance)
        life.passes(120)
    assert set(life.texts()) == {'old and important', 'b', 'c'}
    life.passes(3 * HALF_LIFE_S)
    life.sees('new', importance=0.2)
    life.passes(120)
    assert set(life.texts()) == {'old and important', 'c', 'new'}


def test_worth_halves_each_day_and_grows_with_repetition() -> None:
    once = Episode('1', 'object', 'ball', 0, 0, importance=0.8)
    assert once.worth(0) == 0.8 and once.worth(round(HALF_LIFE_S * NANOSECONDS)) == pytest.approx(0.4)
    assert Episode('1', 'object', 'ball', 0, 0, count=4, importance=0.8).worth(0) == pytest.approx(2.4)
    assert once.worth(-5) == 0.8


def test_it_is_the_same_after_a_new_start(opener: Callable[[], Store]) -> None:
    life = Life(store=opener())
    life.sees('red ball')
    life.sees('blue box', None)
    life.passes(100)
    before = life.episodes.find(Query())
    again = Episodes(opener(), life.clock)
    assert again.find(Query()) == before and len(before) == 2
    assert again.forget(Query(text='ball')) == 1
    assert [e.text for e in Episodes(opener(), life.clock).find(Query())] == ['blue box']


@pytest.mark.parametrize('wrong', [{'importance': 1.5}, {'place': (float('nan'), 0.0)}])
def test_numbers_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(StateError, match='importance of 0..1') as refused:
        Life().sees('x', **wrong)
    assert refused.value.code == 406


STEPS = st.lists(st.tuples(st.sampled_from(['ball', 'box', 'cone']), st.sampled_from([KITCHEN, HALL, None]),
                           st.floats(0, 4000), st.floats(0, 1)), max_size=40)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_it_stays_within_its_bounds_counts_everything_and_is_deterministic(
        steps: list[tuple[str, tuple[float, float] | None, float, float]]) -> None:
    lives = [Life(Limits(working=3)), Life(Limits(working=3))]
    for life in lives:
        for text, place, pause_s, importance in steps:
            life.sees(text, place, importance)
            life.passes(pause_s)
    one, two = (life.episodes.find(Query(limit=1000)) for life in lives)
    assert one == two
    assert sum(episode.count for episode in one) == len(steps)
    assert lives[0].episodes.counts()['working'] <= 3
    kept = Episodes(lives[0].store, lives[0].clock).find(Query(limit=1000))
    assert kept == lives[0].episodes.find(Query(limit=1000))


@settings(max_examples=20, deadline=None)
@given(steps=STEPS)
def test_bounds_hold_whatever_happens(steps: list[tuple[str, tuple[float, float] | None, float, float]]) -> None:
    life = Life(Limits(working=2, episodic=3, long_term=1))
    for text, place, pause_s, importance in steps:
        life.sees(text, place, importance)
        life.clock.advance(pause_s)
        assert len(life.episodes) <= 4 + 3 + 1 + 2
    life.episodes.tidy()
    counts = life.episodes.counts()
    assert (counts['working'] <= 2, counts['episodic'] <= 3, counts['long_term'] <= 1) == (True, True, True)
