"""Streams become few events."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loom.sense.depth import Mount
from loom.sense.detect import Seen
from loom.sense.pictures import Picture, lens_for
from loom.sense.salience import Attention, BatteryWatch, BumpWatch, NearWatch, ObjectWatch
from loom.sense.watch import Limits, Watch

SECOND = 1_000_000_000


def seen(colour: str = 'red', bearing: float = 0.0, distance: float | None = 1.0, shape: str = 'ball') -> Seen:
    return Seen(f'{colour} {shape}', colour, shape, bearing, distance, 0.01)


def told(watch: ObjectWatch, stream: list[list[Seen]], period_s: float = 0.25) -> list[int]:
    return [i for i, found in enumerate(stream) if watch.feed(found, round(i * period_s * SECOND))]


def test_an_object_that_stays_is_told_once_in_a_while() -> None:
    assert told(ObjectWatch(), [[seen()]] * 100) == [1, 41, 81]


def test_one_view_is_not_believed() -> None:
    assert told(ObjectWatch(), [[seen()], *[[]] * 20, [seen()]]) == []


def test_it_is_told_again_after_it_was_away() -> None:
    assert told(ObjectWatch(), [[seen()]] * 4 + [[]] * 12 + [[seen()]] * 4) == [1, 17]


def test_flicker_is_not_away() -> None:
    assert told(ObjectWatch(), [[seen()], [seen()], [], [seen()], [], []] * 5) == [1]


def test_what_moves_is_told_but_not_more_than_once_a_second() -> None:
    stream = [[seen(bearing=0.4 * (i % 2))] for i in range(9)]
    assert told(ObjectWatch(), stream) == [1, 6]
    assert told(ObjectWatch(), [[seen(distance=3.0 - 0.1 * i)] for i in range(20)]) == [1, 7, 13, 19]


def test_the_whole_of_what_was_cut_is_news() -> None:
    assert told(ObjectWatch(), [[seen(shape='object')]] * 3 + [[seen()]] * 8) == [1, 5]


def test_a_clock_that_goes_back_does_not_silence_it() -> None:
    watch = ObjectWatch(Attention(views=1))
    assert watch.feed([seen()], 100 * SECOND)
    assert watch.feed([seen()], 1 * SECOND)


@given(st.lists(st.tuples(st.sampled_from([f'c{i}' for i in range(60)]), st.floats(-0.6, 0.6)), max_size=400))
def test_memory_and_events_are_bounded(stream: list[tuple[str, float]]) -> None:
    watch = ObjectWatch()
    count = sum(len(watch.feed([seen(c, b)], i * SECOND // 10)) for i, (c, b) in enumerate(stream))
    assert len(watch._tracks) <= 32
    assert count <= len(stream) / 2


def test_a_bump_is_told_and_driving_is_not() -> None:
    watch = BumpWatch()
    assert not any(watch.feed(0.8 * math.sin(i / 20), 8.0 * (-1) ** i, i * SECOND // 50) for i in range(500))
    assert (watch.feed(-9.0, 0.0, 10 * SECOND) or 0) > 8
    assert watch.feed(9.0, 0.0, 10 * SECOND + 1) is None
    assert watch.feed(math.nan, 0.0, 12 * SECOND) is None
    assert watch.feed(-9.0, 0.0, 13 * SECOND)


def test_a_tilted_robot_is_no_bump() -> None:
    watch = BumpWatch()
    assert watch.feed(5.0, 0.0, 0) is None and watch.feed(5.1, 0.0, 1) is None


def test_a_low_battery_is_told_once_until_it_recovers() -> None:
    watch = BatteryWatch()
    charges = [0.5, math.nan, 0.2, 0.19, 0.21, 0.18, 0.3, 0.15]
    assert [watch.feed(c, i * SECOND) for i, c in enumerate(charges)] == [
        False, False, True, False, False, False, False, True]
    assert watch.feed(0.1, 200 * SECOND)


def test_something_near_is_told_until_it_is_clearly_away() -> None:
    watch = NearWatch(0.4, 0.6)
    assert [watch.feed(d) for d in (1.0, 0.39, 0.3, 0.5, 0.39, 0.7, 0.2)] == [
        False, True, False, False, False, False, True]


def test_all_senses_together() -> None:
    watch, lens = Watch(Limits(Attention(views=1), Mount(0.15))), lens_for(320, 240, 1.2)
    pixels = np.full((240, 320, 3), 140, np.uint8)
    pixels[100:140, 140:180] = (220, 10, 10)
    near = np.full((240, 320), 0.3, np.float32)
    (obstacle,) = watch.depth(near, lens, SECOND, 'depth')
    assert obstacle.type == 'camera.front.obstacle' and obstacle.data['ahead_m'] == 0.3
    (found,) = watch.picture(Picture(pixels, SECOND), lens, 'image')
    assert found.type == 'camera.front.object' and found.data['colour'] == 'red' and found.topic == 'image'
    assert abs(float(found.data['distance_m']) - 0.3) < 0.01
    assert watch.picture(Picture(pixels, 2 * SECOND), lens, 'image') == []
    (bump,) = watch.contact(True, SECOND)
    assert bump.type == 'motion.bump' and not watch.contact(True, SECOND) and not watch.contact(False, SECOND)
    assert watch.acceleration(0, 0, 0) == [] and watch.acceleration(20, 0, 1)[0].data['by'] == 'imu'
    assert watch.charge(0.1, SECOND)[0].type == 'power.low' and watch.charge(0.1, SECOND) == []
    assert watch.counts['motion.bump'] == 2
