"""Claims to a name: exactly one of several living agents keeps it, and what the dead have said counts for nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from loom.agents import claim
from loom.agents.claim import Claim


class Room:
    """Everybody in it hears everything, in the order in which it was said; `said` is what newcomers hear, too."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.present: list[Claim] = []
        self.refused: set[int] = set()

    def enter(self) -> Claim:
        """A newcomer hears what was said before, and claims the name."""
        made = Claim(self.said.append)
        old = list(self.said)
        self.present.append(made)
        made.make()
        for data in old:
            self._hear(made, data)
        return made

    def settle(self, since: int = 0) -> int:
        """Everybody hears what was said since; how much there is at last."""
        while since < len(self.said):
            for one in self.present:
                self._hear(one, self.said[since])
            since += 1
            assert since < 1000, 'they never stop'
        return since

    def _hear(self, one: Claim, data: dict[str, Any]) -> None:
        if one in self.present and one.contested(data):
            self.refused.add(id(one))


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    ticks = itertools.count(1)
    monkeypatch.setattr(claim, 'wall_ns', lambda: next(ticks))
    yield


@pytest.mark.parametrize('at_once', [True, False])
def test_the_oldest_of_those_who_live_keeps_the_name(at_once: bool) -> None:
    room, heard = Room(), 0
    entered = []
    for _ in range(4):
        entered.append(room.enter())
        heard = heard if at_once else room.settle(heard)
    room.settle(heard)
    assert room.refused == {id(one) for one in entered[1:]}


def test_what_one_said_who_is_gone_refuses_nobody() -> None:
    room = Room()
    first = room.enter()
    second = room.enter()
    heard = room.settle()
    assert room.refused == {id(second)}
    # Both end; what they said is still heard.
    room.present.remove(first)
    room.present.remove(second)
    third = room.enter()
    room.settle(heard)
    assert id(third) not in room.refused


def test_an_old_one_that_is_there_is_found_though_only_its_first_word_came() -> None:
    room = Room()
    room.enter()
    heard = room.settle()
    late = room.enter()
    # Its own claim is lost on the way; the one it hears makes it ask again.
    room.said.pop(heard)
    room.settle(heard)
    assert room.refused == {id(late)}
