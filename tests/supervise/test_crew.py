"""Processes: forked, heard, counted, killed with what they began, and a spare that is ready."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from process_tree import runs

from loom.supervise.channel import Channel
from loom.supervise.crew import ENDING, Born, Child, Crew, News, descendants

LIMIT_S = 10.0


class Play:
    """A crew whose children do what `act` says; the test sees what they say."""

    def __init__(self, act: Callable[[Born], None]) -> None:
        self.loaded: list[tuple[str, ...]] = []
        self.crew = Crew(lambda nodes: self.loaded.append(tuple(nodes)), {'guard': 'guard=agent_host'})
        self.news: list[News] = []
        self._act = act

    def do(self, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except Born as born:
            try:
                self._act(born)
            finally:
                os._exit(0)

    def until(self, condition: Callable[[], Any]) -> None:
        deadline_s = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < deadline_s, self.news
            self.news += self.crew.wait(0.1)

    def said(self, child: Child) -> list[dict[str, Any]]:
        return [n.message for n in self.news if n.child is child and n.message is not None]

    def end(self, child: Child) -> News:
        self.until(lambda: any(n.child is child and n.message is None for n in self.news))
        return next(n for n in self.news if n.child is child and n.message is None)


@pytest.fixture
def play() -> Iterator[Callable[..., Play]]:
    plays: list[Play] = []

    def start(act: Callable[[Born], None]) -> Play:
        plays.append(Play(act))
        return plays[-1]
    yield start
    for one in plays:
        for child in one.crew.everybody():
            one.crew.kill(child)
        one.until(lambda one=one: not one.crew.everybody())


def wait_for(channel: Channel) -> dict[str, Any]:
    while (message := channel.receive()) is None:
        time.sleep(0.005)
    return message


def talk(born: Born) -> None:
    born.channel.send(nodes=born.nodes, incarnation=born.incarnation, variable=os.environ['LOOM_INCARNATION'])
    message = wait_for(born.channel)
    born.channel.send(heard=message)


def hang(born: Born) -> None:
    born.channel.send(ready=True)
    time.sleep(60)


def test_a_child_has_its_nodes_and_an_incarnation_and_is_heard_to_the_end(play: Any) -> None:
    one = play(talk)
    first, second = (one.do(lambda: one.crew.start(('guard', 'camera'))) for _ in range(2))
    assert one.loaded[0] == ('guard=agent_host', 'camera') and first.incarnation != second.incarnation
    first.channel.send(want={'camera': 'active'})
    ended = one.end(first)
    assert (ended.ended, ended.exit_code) == ('ended with exit code 0', 0)
    assert one.said(first) == [
        {'nodes': ['guard=agent_host', 'camera'], 'incarnation': first.incarnation, 'variable': first.incarnation},
        {'heard': {'want': {'camera': 'active'}}}]
    assert one.crew.everybody() == [second]


def test_a_signal_that_comes_before_a_child_can_take_it_waits(play: Any) -> None:
    def late(born: Born) -> None:
        wait_for(born.channel)
        signal.signal(signal.SIGTERM, lambda number, frame: os._exit(7))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        time.sleep(60)
    one = play(late)
    child = one.do(lambda: one.crew.start(('camera',)))
    one.crew.ask_to_end(child)
    child.channel.send(go=True)
    assert one.end(child).exit_code == 7
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()).intersection(ENDING)


def test_who_is_killed_is_told_from_who_ends(play: Any) -> None:
    one = play(hang)
    child = one.do(lambda: one.crew.start(('camera',)))
    begin_s = time.monotonic()
    one.crew.kill(child)
    ended = one.end(child)
    assert (ended.ended, ended.exit_code) == ('was ended by SIGKILL', -9) and time.monotonic() - begin_s < LIMIT_S


def test_others_hear_that_the_participant_of_a_dead_child_is_gone(play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def introduce(born: Born) -> None:
        born.channel.send(participant=bytes(range(12)).hex())
        hang(born)
    gone: list[bytes] = []
    monkeypatch.setattr('loom.supervise.crew.say_gone', gone.append)
    one = play(introduce)
    child, silent = (one.do(lambda: one.crew.start(('camera',))) for _ in range(2))
    one.until(lambda: one.said(child) and one.said(silent))
    assert one.said(child) == [{'ready': True}], 'it is for the crew only'
    # One that was killed before it could introduce itself is nobody to the others.
    silent.participant = b''
    for victim in (silent, child):
        assert not gone
        one.crew.kill(victim)
        one.end(victim)
    assert gone == [bytes(range(12))]


def test_what_a_child_began_is_counted_and_dies_with_it(play: Any) -> None:
    def breed(born: Born) -> None:
        pids = []
        for _ in range(5):
            pid = os.fork()
            if pid == 0:
                time.sleep(60)
                os._exit(0)
            pids.append(pid)
        born.channel.send(pids=pids)
        time.sleep(60)
    one = play(breed)
    child = one.do(lambda: one.crew.start(('camera',)))
    one.until(lambda: one.said(child))
    assert descendants(child.pid) == 5
    pids = one.said(child)[0]['pids']
    os.kill(child.pid, signal.SIGKILL)
    one.end(child)
    one.until(lambda: not any(map(runs, pids)))


def test_a_spare_takes_over_once_it_is_ready(play: Any) -> None:
    one = play(talk)
    one.do(lambda: one.crew.keep_spares(1, 60.0))
    spare = one.crew.everybody()[0]
    assert one.crew.is_spare(spare) and spare.nodes == ()
    one.until(lambda: one.said(spare))
    assert one.do(lambda: one.crew.start(('camera',), warm=True)) is spare
    one.until(lambda: len(one.said(spare)) == 2)
    assert one.said(spare)[1] == {'heard': {'nodes': ['camera']}} and not one.crew.is_spare(spare)
    other = one.do(lambda: one.crew.start(('camera',), warm=True))
    assert other is not spare, 'no spare is left'
    one.do(lambda: one.crew.keep_spares(2, 60.0))
    assert sum(map(one.crew.is_spare, one.crew.everybody())) == 2
    assert one.do(lambda: one.crew.start(('camera',), warm=False)) not in (spare, other)


def test_a_spare_that_fell_silent_is_replaced(play: Any) -> None:
    def silent(born: Born) -> None:
        born.channel.send()
        time.sleep(60)
    one = play(silent)
    one.do(lambda: one.crew.keep_spares(1, 60.0))
    spare = one.crew.everybody()[0]
    one.until(lambda: one.said(spare))
    one.until(lambda: time.monotonic() - spare.heard_s > 0.5)
    assert one.do(lambda: one.crew.start(('camera',), warm=True)) is not spare
    one.do(lambda: one.crew.keep_spares(1, 0.5))
    assert one.end(spare).ended == 'was ended by SIGKILL'


def test_children_keep_no_line_of_a_sibling(play: Any) -> None:
    one = play(hang)
    children = [one.do(lambda: one.crew.start(('camera',))) for _ in range(3)]
    one.until(lambda: all(one.said(child) for child in children))
    counts = [len(os.listdir(f'/proc/{child.pid}/fd')) for child in children]
    assert max(counts) - min(counts) <= 0, f'files grow with the siblings: {counts}'


def test_a_channel_keeps_the_borders_of_messages_and_never_waits() -> None:
    ours, theirs = Channel.pair()
    assert ours.receive() is None
    sent = 0
    while ours.send(number=sent, text='x' * 1000):
        sent += 1
    assert 10 < sent < 10_000
    assert [theirs.receive()['number'] for _ in range(sent)] == list(range(sent))  # type: ignore[index]
    ours.close()
    with pytest.raises(EOFError):
        theirs.receive()
    assert not theirs.send(number=1)
