"""The line of a process to its keeper: signs of life, orders that are answered in time, reports, the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from loom.core.errors import DeadlineError, LoomError
from loom.supervise import link as module
from loom.supervise.channel import Channel
from loom.supervise.link import BEAT_S, Link, link

Until = Callable[..., None]


class Line:
    """Both ends: the link under test, and the keeper's, where `heard` is what came so far."""

    def __init__(self, until: Until) -> None:
        self.until = until
        self.keeper, theirs = Channel.pair()
        self.link = Link(theirs)
        self.messages: list[dict[str, Any]] = []
        self.ended = threading.Event()
        self.link.listen(self.messages.append, self.ended.set)

    def heard(self) -> list[dict[str, Any]]:
        found = []
        while (message := self.keeper.receive()) is not None:
            found.append(message)
        return found

    def next(self) -> dict[str, Any]:
        found: list[dict[str, Any]] = []

        def arrived() -> bool:
            found.extend(self.heard())
            return bool(found)
        self.until(arrived, 'nothing was said')
        assert len(found) == 1
        return found[0]


@pytest.fixture
def line(until: Until) -> Iterator[Line]:
    one = Line(until)
    yield one
    one.keeper.close()
    until(one.ended.is_set, 'the end was not noticed')
    module._lines.clear()


class Caller:
    """An order given from a thread of its own, as the supervisor does."""

    def __init__(self, line: Line, order: str, timeout_s: float = 5.0) -> None:
        self.error: Exception | None = None
        self.done = False
        self._thread = threading.Thread(target=self._call, args=(line.link, order, timeout_s), daemon=True)
        self._thread.start()

    def _call(self, one: Link, order: str, timeout_s: float) -> None:
        try:
            one.order(order, timeout_s)
        except Exception as error:
            self.error = error
        self.done = True


def test_a_process_has_one_line(line: Line) -> None:
    assert link() is line.link


def test_signs_of_life_hold_only_what_changed(line: Line) -> None:
    line.link.beat({'camera': 'unconfigured'}, {})
    line.link.beat({'camera': 'unconfigured'}, {})
    line.link.beat({'camera': 'inactive'}, {})
    line.link.beat({'camera': 'inactive'}, {'camera': 'the lens is dirty'})
    assert line.heard() == [{'states': {'camera': 'unconfigured'}}, {}, {'states': {'camera': 'inactive'}},
                            {'faults': {'camera': 'the lens is dirty'}}]


def test_a_sign_of_life_is_due_ten_times_a_second(line: Line) -> None:
    assert line.link.due()
    begin_s = time.monotonic()
    line.link.beat({}, {})
    assert not line.link.due()
    line.until(line.link.due)
    assert time.monotonic() - begin_s >= BEAT_S


def test_states_that_found_no_room_are_said_again(line: Line) -> None:
    line.link.beat({'camera': 'unconfigured'}, {})
    number = 0
    while line.link._channel.send(filling='x' * 10_000):
        number += 1
    line.link.beat({'camera': 'active'}, {})
    line.link.beat({'camera': 'active'}, {'camera': 'broken'})
    assert len(line.heard()) == number + 1
    line.link.beat({'camera': 'active'}, {'camera': 'broken'})
    assert line.next() == {'states': {'camera': 'active'}, 'faults': {'camera': 'broken'}}


def test_an_order_waits_for_its_answer(line: Line) -> None:
    caller = Caller(line, 'paused')
    order = line.next()
    assert order == {'order': 'paused', 'id': 1} and not caller.done
    line.keeper.send(answer=7, error='of another')
    line.keeper.send(answer=order['id'], error='')
    line.until(lambda: caller.done)
    assert caller.error is None and line.messages == []


def test_an_order_that_failed_raises_the_keepers_words(line: Line) -> None:
    caller = Caller(line, 'active')
    line.keeper.send(answer=line.next()['id'], error='camera is unconfigured: no camera 7')
    line.until(lambda: caller.done)
    assert type(caller.error) is LoomError and str(caller.error) == 'camera is unconfigured: no camera 7'


def test_an_order_that_is_not_answered_ends_in_time_and_its_late_answer_hurts_nobody(line: Line) -> None:
    begin_s = time.monotonic()
    with pytest.raises(DeadlineError, match=r"'paused' must be reached in 0\.2 s and was not: see loom/health"):
        line.link.order('paused', 0.2)
    assert 0.2 <= time.monotonic() - begin_s < 5.0
    late = line.next()['id']
    caller = Caller(line, 'active')
    order = line.next()
    assert order['id'] != late
    line.keeper.send(answer=late, error='too late')
    line.keeper.send(answer=order['id'], error='')
    line.until(lambda: caller.done)
    assert caller.error is None and line.link._answers == {}


def test_several_orders_get_each_its_own_answer(line: Line) -> None:
    first = Caller(line, 'paused')
    first_id = line.next()['id']
    second = Caller(line, 'active')
    second_id = line.next()['id']
    line.keeper.send(answer=second_id, error='')
    line.until(lambda: second.done)
    assert not first.done
    line.keeper.send(answer=first_id, error='no')
    line.until(lambda: first.done)
    assert (str(first.error), second.error) == ('no', None)


def test_what_the_keeper_says_goes_to_who_it_concerns(line: Line) -> None:
    reports: list[dict[str, Any]] = []
    line.keeper.send(report={'mode': 'nobody listens yet'})
    line.keeper.send(want={'camera': 'active'})
    line.until(lambda: line.messages)
    line.link.on_report(reports.append)
    line.keeper.send(report={'mode': 'active'})
    line.keeper.send(nodes=['camera'])
    line.until(lambda: len(line.messages) == 2)
    assert reports == [{'mode': 'active'}]
    assert line.messages == [{'want': {'camera': 'active'}}, {'nodes': ['camera']}]


def test_the_end_of_the_keeper_is_noticed_at_once(line: Line) -> None:
    line.keeper.close()
    line.until(line.ended.is_set, 'a process whose keeper ended would live on', 1.0)
    line.link.beat({}, {})
