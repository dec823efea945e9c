"""What only the bus in one process promises; the rest is in the contract test of all buses."""

from __future__ import annotations

import threading

import pytest

from loom.core.clock import ManualClock
from loom.core.errors import EventError
from loom.core.event import Event
from loom.core.local_bus import MAX_QUEUED, LocalBus


def event(number: int = 0, event_type: str = 'a.b') -> Event:
    return Event.create(event_type, number, source='s', stamp_ns=0)


def test_an_event_published_by_a_handler_waits_for_its_turn() -> None:
    bus, heard = LocalBus(ManualClock()), []
    bus.subscribe('a.first', lambda e: bus.publish(event(2, 'a.second')))
    bus.subscribe('a.**', lambda e: heard.append(e.type))
    bus.publish(event(1, 'a.first'))
    assert heard == ['a.first', 'a.second']


def test_a_storm_from_inside_a_handler_is_refused() -> None:
    bus, errors = LocalBus(ManualClock()), []

    def storm(_: Event) -> None:
        try:
            for _ in range(MAX_QUEUED + 2):
                bus.publish(event())
        except EventError as error:
            errors.append(str(error))
            bus.close()
    bus.subscribe('a.b', storm)
    bus.publish(event())
    assert errors == [f'a LocalBus queues at most {MAX_QUEUED} deliveries; a handler publishes in a storm']


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
