"""The books of a bus: what never came is counted when its writer says so; what has not changed is not told again."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from loom.core import books as module
from loom.core.book_messages import Credit, ReaderAccount, WriterAccount
from loom.core.books import SETTLED_S, Books
from loom.core.clock import ManualClock
from loom.core.delivery import BATCHED, REALTIME
from loom.core.event import Event
from loom.core.reception import Reception

ME, OTHER = 1, 7


class Desk:
    """The books of a bus with one inlet, in a time that is moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(module.time, 'monotonic', lambda: self.now)
        self.reception = Reception(ManualClock(), logging.getLogger('test.books'))
        self.credits: list[Credit] = []
        self.told: list[Any] = []
        self.books = Books(ME, b'', self.reception, {}, self.credits.append, lambda *books: self.told.append(books))
        self.inlet = self.reception.open('t', lambda _: None, REALTIME)

    def take(self, sequence: int) -> None:
        self.reception.take([self.inlet], Event.create('a.b', source='s', stamp_ns=0), OTHER, sequence)

    def report(self, published: int, writer: int = OTHER) -> None:
        self.books.on_accounts([WriterAccount('t', 'REALTIME', writer, published, 0, 0)])

    def lost(self) -> int:
        self.books.tick()
        return self.inlet.account.dropped['lost']


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


def test_a_tail_that_never_came_is_lost_once_it_had_time_to_come(desk: Desk) -> None:
    desk.take(2)
    desk.reception.serve()
    desk.report(10)
    assert desk.lost() == 0
    desk.now += SETTLED_S + 0.1
    assert desk.lost() == 7 and desk.lost() == 7
    assert desk.inlet.account.offered == 8 and desk.inlet.account.unexplained(0) == 0
    desk.take(9)
    assert desk.inlet.account.dropped['repeated'] == 1


def test_a_reader_that_is_behind_is_asked_again_until_it_is_not(desk: Desk) -> None:
    desk.inlet.paused = True
    desk.take(0)
    desk.report(3)
    desk.now += SETTLED_S + 0.1
    assert desk.lost() == 0
    desk.reception.resume(desk.inlet)
    desk.reception.serve()
    assert desk.lost() == 2


def test_a_writer_that_was_never_heard_is_none_of_its_business(desk: Desk) -> None:
    desk.report(10, writer=8)
    desk.now += SETTLED_S + 0.1
    assert desk.lost() == 0 and desk.inlet.account.offered == 0


def test_accounts_are_told_every_other_tick_and_only_when_they_changed(desk: Desk) -> None:
    for _ in range(4):
        desk.books.tick()
    assert len(desk.told) == 1
    desk.take(0)
    for _ in range(4):
        desk.books.tick()
    assert [readers for _, readers in desk.told][1:] == [[ReaderAccount('t', 'REALTIME', 1, 0, 0, 1, (), 0, 0.0, 0.0)]]


def test_a_reader_grants_what_it_handled_and_says_when_it_ends(desk: Desk) -> None:
    inlet = desk.reception.open('u', lambda _: None, BATCHED)
    desk.reception.take([inlet], Event.create('a.b', source='s', stamp_ns=0), OTHER, 0)
    desk.books.tick()
    assert [(c.topic, c.writer, c.limit) for c in desk.credits] == [('u', OTHER, BATCHED.depth // 2)]
    desk.books.reader_ended(inlet)
    assert desk.credits[-1].closed and desk.credits[-1].reader == inlet.grants.number
