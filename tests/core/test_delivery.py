"""Delivery classes: what each promises."""

from __future__ import annotations

import dataclasses

import pytest

from loom.core import delivery
from loom.core.delivery import CLASSES, COMMAND, SENSOR, STATE, Delivery


def test_every_class_is_found_by_its_name() -> None:
    named = {name: value for name, value in vars(delivery).items() if isinstance(value, Delivery)}
    assert named == CLASSES and all(value.name == name for name, value in named.items())


def test_queues_are_bounded_and_times_are_no_negative_ones() -> None:
    assert all(0 < d.depth <= 1000 and d.deadline_s >= 0 and d.lifespan_s >= 0 for d in CLASSES.values())


def test_commands_die_young_states_are_kept_sensors_are_not_repeated() -> None:
    assert COMMAND.depth == 1 and 0 < COMMAND.lifespan_s <= 0.5 and not COMMAND.latched
    assert STATE.latched and STATE.depth == 1 and STATE.lifespan_s == 0
    assert SENSOR.publish_reliable and not SENSOR.subscribe_reliable and SENSOR.depth == 5


def test_they_do_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        COMMAND.depth = 2  # type: ignore[misc]
