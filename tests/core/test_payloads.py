"""Following handles: what can't be had is counted, and what fails is tried again later."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from loom.core.handle import Handle, this_host
from loom.core.payloads import IDLE_S, MAX_WRITERS, RETRY_S, TOO_LATE, Payloads
from loom.core.ring import Place, RingWriter

KIND = 'sensor_msgs/msg/Image'


@pytest.fixture
def ring() -> Iterator[RingWriter]:
    writer = RingWriter(2, 4096)
    yield writer
    writer.close()


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def payloads(clock: Clock) -> Iterator[Payloads]:
    reader = Payloads(KIND, now=clock)
    yield reader
    reader.let_go(0.0)


def handle(ring: RingWriter, sequence: int, **changes: Any) -> Handle:
    place = ring.reserve(8)
    assert place is not None
    ring.fill(place, memoryview(b'%08d' % sequence))
    return Handle(ring.id, sequence, 0, place, os.getpid(), ring.descriptor, 8, this_host(), KIND,
                  b'')._replace(**changes)


def test_payloads_come_and_lost_handles_are_counted(ring: RingWriter, payloads: Payloads) -> None:
    assert [bytes(payloads.read(handle(ring, n)) or b'') for n in (5, 6, 9)] == [b'00000005', b'00000006', b'00000009']
    assert payloads.counts == {'shared': 3, 'lost': 2} and not payloads.failing()


@pytest.mark.parametrize(('changes', 'reason'), [
    ({'host': 'elsewhere'}, 'on one host'), ({'message_type': 'std_msgs/msg/String'}, f'must be of a {KIND}'),
    ({'pid': 0}, 'living process'), ({'writer': 1}, 'began anew'), ({'size': 5000}, 'slots of'),
    ({'place': Place(9, 2)}, 'slots of')])
def test_what_is_refused_is_told_and_asked_again_later(ring: RingWriter, payloads: Payloads, clock: Clock,
                                                       changes: dict[str, Any], reason: str) -> None:
    for sequence in range(5):
        assert payloads.read(handle(ring, sequence, **changes)) is None
    assert payloads.counts == {'refused': 1} and reason in payloads.refusal and payloads.failing()
    clock.now += RETRY_S
    assert not payloads.failing(), 'it was not heard for long enough'
    assert payloads.read(handle(ring, 5, **changes)) is None and payloads.counts['refused'] == 2
    clock.now += RETRY_S
    if 'writer' not in changes:
        assert payloads.read(handle(ring, 6)) is not None and not payloads.failing()


def test_who_is_late_again_and_again_has_a_rest(ring: RingWriter, payloads: Payloads, clock: Clock) -> None:
    handles = [handle(ring, n) for n in range(6)]
    for number, old in enumerate(handles[:4]):
        assert payloads.read(old) is None and payloads.failing() == (number + 1 >= TOO_LATE)
    assert payloads.read(handles[5]) is None, 'it has a rest'
    assert payloads.counts['late'] == TOO_LATE
    clock.now += RETRY_S
    assert payloads.read(handles[5]) is not None and not payloads.failing()


def test_one_late_payload_is_only_counted(ring: RingWriter, payloads: Payloads) -> None:
    old, *_, new = [handle(ring, n) for n in range(4)]
    assert payloads.read(old) is None and payloads.read(new) is not None
    assert payloads.counts == {'late': 1, 'shared': 1, 'lost': 2} and not payloads.failing()


def test_silent_writers_are_let_go(ring: RingWriter, payloads: Payloads, clock: Clock) -> None:
    before = len(os.listdir('/proc/self/fd'))
    assert payloads.read(handle(ring, 1)) is not None
    assert len(os.listdir('/proc/self/fd')) > before
    clock.now += IDLE_S
    payloads.let_go()
    assert len(os.listdir('/proc/self/fd')) == before
    assert payloads.read(handle(ring, 2)) is not None


def test_invented_writers_fill_no_memory(ring: RingWriter, payloads: Payloads, clock: Clock) -> None:
    for number in range(100):
        clock.now += 0.001
        payloads.read(handle(ring, number, writer=number + 1))
    assert len(payloads._writers) <= MAX_WRITERS
