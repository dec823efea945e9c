"""EventWriter: what the transport does not take has no number, so that nobody counts it as lost."""

from __future__ import annotations

import pytest

from loom.core import credit
from loom.core.credit import reader_of, tag_of
from loom.core.delivery import BATCHED, REALTIME, Delivery
from loom.core.errors import BusyError
from loom.core.event import Event
from loom.core.event_writer import EventWriter
from loom.core.numbering import Numbering
from loom.core.wire import number_of


class Transport:
    """Takes events, or none."""

    def __init__(self, delivery: Delivery) -> None:
        self.full = False
        self.sequences: list[int] = []
        self.present: set[int] = set()
        self.writer = EventWriter('t', delivery, Numbering(), self._take, lambda: self.present)

    def _take(self, data: bytes) -> None:
        if self.full:
            raise BusyError('DDS took no event')
        self.sequences.append(number_of(data)[1])

    def publish(self) -> None:
        self.writer.publish(Event.create('a.b', source='s', stamp_ns=1))


def test_whoever_publishes_is_told_and_may_try_again() -> None:
    transport = Transport(REALTIME)
    transport.publish()
    transport.full = True
    with pytest.raises(BusyError):
        transport.publish()
    assert transport.writer.published == 1
    transport.full = False
    transport.publish()
    assert transport.sequences == [0, 1] and transport.writer.published == 2


def test_what_must_not_be_lost_waits() -> None:
    transport = Transport(BATCHED)
    transport.full = True
    for _ in range(3):
        transport.publish()
    assert not transport.sequences
    transport.full = False
    transport.writer.flush()
    assert transport.sequences == [0, 1, 2] and transport.writer.published == 3


def test_who_is_gone_holds_nothing_up_and_who_is_busy_does(monkeypatch: pytest.MonkeyPatch) -> None:
    transport, tag = Transport(BATCHED), tag_of(b'somebody')
    transport.writer.granted(reader_of(tag, 1), 0, False)
    monkeypatch.setattr(credit, 'LATE_S', -1.0)
    transport.publish()
    transport.present = {tag}
    transport.writer.flush()
    assert not transport.sequences
    transport.present = set()
    transport.writer.flush()
    assert transport.sequences == [0]
