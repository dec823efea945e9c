"""What only the bus in one process promises; the rest is in the contract test of all buses."""

from __future__ import annotations

import threading

import pytest

from loom.core.clock import ManualClock
from loom.core.delivery import BATCHED, REALTIME, Delivery
from loom.core.errors import BusyError, EventError
from loom.core.event import Event
from loom.core.local_bus import LocalBus


def event(number: int = 0, event_type: str = 'a.b') -> Event:
    return Event.create(event_type, number, source='s', stamp_ns=0)


def test_an_event_published_by_a_handler_waits_for_its_turn() -> None:
    bus, heard = LocalBus(ManualClock()), []
    bus.subscribe('a.first', lambda e: bus.publish(event(2, 'a.second')))
    bus.subscribe('a.**', lambda e: heard.append(e.type))
    bus.publish(event(1, 'a.first'))
    assert heard == ['a.first', 'a.second']


@pytest.mark.parametrize(('delivery', 'waiting'), [(REALTIME, 50), (BATCHED, 1000)])
def test_a_storm_from_inside_a_handler_is_bounded_by_its_class(delivery: Delivery, waiting: int) -> None:
    bus, heard, refused = LocalBus(ManualClock()), [], []

    def storm(trigger: Event) -> None:
        for number in range(5000):
            try:
                bus.publish(event(number, 'a.storm'), delivery)
            except BusyError as error:
                refused.append(str(error))
    bus.subscribe('a.b', storm)
    bus.subscribe('a.storm', lambda e: heard.append(e.data), delivery)
    bus.publish(event())
    assert len(heard) == waiting
    if delivery is BATCHED:
        assert heard == list(range(waiting)) and len(refused) == 5000 - waiting
        assert refused[0].startswith('a.storm: 1000 events wait for a slow reader; ask room()')
    else:
        assert heard == list(range(5000 - waiting, 5000)) and bus.counts()['overrun'] == 5000 - waiting
    assert all(not unexplained for _, unexplained in bus.accounts())


def test_threads_publish_at_once_and_nothing_is_lost() -> None:
    bus, heard = LocalBus(ManualClock()), []
    bus.subscribe('a.b', lambda e: heard.append(e.data))

    def publish(thread: int) -> None:
        for number in range(200):
            bus.publish(event(thread * 1000 + number))
    threads = [threading.Thread(target=publish, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(heard) == 800
    assert all([n for n in heard if n // 1000 == t] == [t * 1000 + i for i in range(200)] for t in range(4))


def test_mailboxes_with_an_address_that_is_none_are_refused() -> None:
    bus = LocalBus(ManualClock())
    for address in ('', 'a/b', 'A', 'a b', '*'):
        with pytest.raises(EventError):
            bus.receive(address, print)
        with pytest.raises(EventError):
            bus.send(address, event())
