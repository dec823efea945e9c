"""The contract of every bus: LocalBus, RosBus, DdsBus and the pairs of them keep the same promises."""

from __future__ import annotations

import dataclasses
import logging
import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from loom.core.bus import Bus
from loom.core.clock import SystemClock
from loom.core.delivery import BATCHED, REALTIME
from loom.core.errors import EventError
from loom.core.event import Event
from loom.core.local_bus import LocalBus
from loom.core.trace import trace_headers, trace_id

STORM = 5000
Until = Callable[..., None]


@dataclass
class Wire:
    """Two ends that may be one bus."""

    sender: Bus
    receiver: Bus
    until: Until
    heard: list[Event] = dataclasses.field(default_factory=list)

    def event(self, event_type: str = 'test.thing', data: Any = None, **fields: Any) -> Event:
        return Event.create(event_type, data, source='tester', sender='tester', stamp_ns=SystemClock().now_ns(),
                            **fields)

    def expect(self, *data: Any) -> None:
        """Waits until what was heard is exactly this."""
        self.until(lambda: len(self.heard) >= len(data), f'{len(self.heard)} of {len(data)} events came')
        assert [e.data for e in self.heard] == list(data)

    def raw(self, event: Event) -> None:
        """Sends without the check at publish, as a foreign program would."""
        if isinstance(self.sender, LocalBus):
            self.sender._offer(event, self.sender._subscriptions, REALTIME)
        else:
            self.sender._writer('loom/events/test/thing', 'test.thing', REALTIME).publish(event)  # type: ignore[attr-defined]


@pytest.fixture(params=['local', 'ros->ros', 'dds->dds', 'ros->dds', 'dds->ros'])
def wire(request: pytest.FixtureRequest, until: Until) -> Iterator[Wire]:
    if request.param == 'local':
        bus = LocalBus(SystemClock())
        yield Wire(bus, bus, until)
        bus.close()
        return
    if 'dds' in request.param:
        pytest.importorskip('cyclonedds')
    ros = request.getfixturevalue('ros')
    ends = [end(kind, name, ros) for kind, name in zip(request.param.split('->'), ('sender', 'receiver'))]
    yield Wire(ends[0], ends[1], until)
    for one in ends:
        one.close()


def end(kind: str, name: str, ros: Any) -> Bus:
    """One end of a wire between processes."""
    if kind == 'dds':
        from loom.dds.bus import DdsBus
        return DdsBus(ros.namespace)
    import rclpy

    from loom.ros.bus import RosBus
    return RosBus(ros.add(rclpy.create_node, name))


def test_an_event_arrives_whole(wire: Wire) -> None:
    sent = wire.event(data={'a': [1, 'ü', None]}, thread_id='t', reply_to='me', correlation_id='c', hops=3, hop_limit=9,
                      expires_ns=2_147_483_646_999_999_999, priority=200, confidence=0.5, tags=('x', 'y'),
                      metadata={'k': 'v', 'ä': ''},
                      reference_topic='camera/front/image_raw', reference_stamp_ns=123456789012)
    wire.receiver.subscribe('test.thing', wire.heard.append)
    wire.sender.publish(sent)
    wire.expect(sent.data)
    assert wire.heard == [sent]


def test_only_what_matches_arrives(wire: Wire) -> None:
    for pattern, tag in (('test.*', 'one'), ('test.**', 'rest'), ('test.a.*', 'two'), ('**', 'all'), ('other', 'no')):
        wire.receiver.subscribe(pattern, lambda e, tag=tag: wire.heard.append((e.data, tag)))  # type: ignore[misc]
    for number, event_type in enumerate(('test', 'test.a', 'test.a.b')):
        wire.sender.publish(wire.event(event_type, number))
    expected = {(0, 'rest'), (0, 'all'), (1, 'one'), (1, 'rest'), (1, 'all'), (2, 'rest'), (2, 'two'), (2, 'all')}
    wire.until(lambda: set(wire.heard) == expected, f'expected {expected}, got {wire.heard}')  # type: ignore[arg-type]
    assert len(wire.heard) == len(expected)


def test_a_wildcard_hears_types_that_appear_later_from_their_first_event(wire: Wire) -> None:
    wire.receiver.subscribe('camera.*.object', wire.heard.append)
    for number, side in enumerate(('front', 'rear', 'left')):
        wire.sender.publish(wire.event(f'camera.{side}.object', number))
    wire.until(lambda: len(wire.heard) == 3, f'{len(wire.heard)} of 3 first events came')
    assert {e.data for e in wire.heard} == {0, 1, 2}


def test_the_first_event_of_a_fresh_type_is_not_lost(wire: Wire) -> None:
    for number in range(5):
        wire.receiver.subscribe(f'fresh.type{number}', wire.heard.append)
        wire.sender.publish(wire.event(f'fresh.type{number}', number))
        wire.expect(*range(number + 1))


def test_order_is_kept(wire: Wire) -> None:
    wire.receiver.subscribe('test.thing', wire.heard.append, BATCHED)
    for number in range(500):
        wire.sender.publish(wire.event(data=number), BATCHED)
    wire.expect(*range(500))


def test_a_storm_arrives_in_order_and_what_is_lost_is_counted(wire: Wire) -> None:
    wire.receiver.subscribe('test.thing', wire.heard.append)
    # Counting begins with the first event of a writer that is heard.
    wire.sender.publish(wire.event(data=0))
    wire.expect(0)
    for number in range(1, STORM):
        wire.sender.publish(wire.event(data=number))
    wire.until(lambda: wire.heard and wire.heard[-1].data == STORM - 1, 'the last event did not come')
    numbers = [e.data for e in wire.heard]
    assert numbers == sorted(set(numbers))
    counts = wire.receiver.counts()
    assert sum(counts.values()) == STORM, counts


def test_a_mailbox_hears_what_is_sent_to_it_only(wire: Wire) -> None:
    wire.receiver.receive('walker', wire.heard.append)
    wire.receiver.receive('talker', lambda e: wire.heard.append(wire.event(data='wrong')))
    wire.receiver.subscribe('**', lambda e: wire.heard.append(wire.event(data='wrong')))
    for number in range(20):
        wire.sender.send('walker', wire.event(data=number))
    wire.expect(*range(20))


@pytest.mark.parametrize('address', ['', 'a/b', 'A', '*', 'x' * 300])
def test_an_address_that_is_none_is_refused(wire: Wire, address: str) -> None:
    with pytest.raises(EventError):
        wire.sender.send(address, wire.event())
    with pytest.raises(EventError):
        wire.receiver.receive(address, print)


def test_a_closed_subscription_hears_nothing_more(wire: Wire) -> None:
    subscriptions = [wire.receiver.subscribe('test.thing', wire.heard.append),
                     wire.receiver.subscribe('test.*', wire.heard.append)]
    other: list[Event] = []
    wire.receiver.subscribe('test.thing', other.append)
    wire.sender.publish(wire.event(data=1))
    wire.until(lambda: len(wire.heard) == 2 and other)
    for subscription in subscriptions:
        subscription.close()
        subscription.close()
    wire.sender.publish(wire.event(data=2))
    wire.until(lambda: len(other) == 2)
    assert len(wire.heard) == 2


def test_a_handler_may_close_its_own_subscription(wire: Wire) -> None:
    holder: list[Any] = []

    def once(event: Event) -> None:
        wire.heard.append(event)
        holder[0].close()
    other: list[Event] = []
    holder.append(wire.receiver.subscribe('test.thing', once))
    wire.receiver.subscribe('test.thing', other.append)
    for number in range(10):
        wire.sender.publish(wire.event(data=number))
    wire.until(lambda: len(other) == 10)
    assert len(wire.heard) == 1


def test_a_closed_bus_delivers_nothing(wire: Wire) -> None:
    wire.receiver.subscribe('test.thing', wire.heard.append)
    wire.receiver.receive('box', wire.heard.append)
    wire.sender.publish(wire.event(data=1))
    wire.expect(1)
    wire.receiver.close()
    wire.receiver.close()
    wire.sender.publish(wire.event(data=2))
    wire.sender.send('box', wire.event(data=3))
    assert len(wire.heard) == 1


@pytest.mark.parametrize(('fields', 'reason'), [
    ({'expires_ns': 1}, 'expired'), ({'hops': 16}, 'hop_limit'), ({'hops': 3, 'hop_limit': 2}, 'hop_limit')])
def test_what_must_not_be_acted_on_is_dropped_and_counted(wire: Wire, fields: dict[str, int], reason: str) -> None:
    wire.receiver.subscribe('test.thing', wire.heard.append)
    wire.sender.publish(wire.event(data=1, **fields))
    wire.sender.publish(wire.event(data=2))
    wire.expect(2)
    assert wire.receiver.counts() == {reason: 1, 'delivered': 1}


def test_a_storm_of_answers_ends_at_the_hop_limit(wire: Wire) -> None:
    def answer(event: Event) -> None:
        wire.heard.append(event)
        wire.receiver.publish(event.child('test.thing', event.data + 1, source='s', stamp_ns=event.stamp_ns))
    wire.receiver.subscribe('test.thing', answer)
    wire.sender.publish(wire.event(data=0))
    wire.until(lambda: wire.receiver.counts().get('hop_limit') == 1)
    wire.expect(*range(16))


@pytest.mark.parametrize('changes', [
    {'type': 'No'}, {'confidence': math.nan}, {'payload': b'x' * (1 << 20) + b'x'}, {'id': 'short'}, {'stamp_ns': -1},
    {'expires_ns': 1 << 63}, {'priority': 300}])
def test_what_breaks_a_rule_is_refused_at_publish(wire: Wire, changes: dict[str, Any]) -> None:
    bad = dataclasses.replace(wire.event(), **changes)
    wire.receiver.subscribe('**', wire.heard.append)
    with pytest.raises(EventError):
        wire.sender.publish(bad)
    with pytest.raises(EventError):
        wire.sender.send('box', bad)
    wire.sender.publish(wire.event(data='good'))
    wire.expect('good')
    assert wire.receiver.counts() == {'delivered': 1}


@pytest.mark.parametrize('changes', [{'confidence': math.nan}, {'id': 'short'}, {'type': 'Not A Type', 'id': ''}])
def test_what_a_foreign_program_sends_is_checked_on_arrival(wire: Wire, changes: dict[str, Any],
                                                            caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    wire.receiver.subscribe('test.thing', wire.heard.append)
    for _ in range(3):
        if isinstance(wire.sender, LocalBus) and 'type' not in changes:
            wire.sender._offer(dataclasses.replace(wire.event(), **changes), wire.sender._subscriptions, REALTIME)
        else:
            wire.raw(dataclasses.replace(wire.event(), **changes))
    wire.until(lambda: wire.receiver.counts() == {'malformed': 3}, f'{wire.receiver.counts()}')
    assert not wire.heard
    assert sum("from 'tester': malformed: " in r.getMessage() for r in caplog.records) == 1


def test_patterns_that_are_none_are_refused(wire: Wire) -> None:
    for pattern in ('', 'A', 'a.**.b', 'camera/front'):
        with pytest.raises(EventError, match='a pattern must be'):
            wire.receiver.subscribe(pattern, print)


def test_the_trace_is_continued_in_the_handler(wire: Wire) -> None:
    traces: list[str] = []
    wire.receiver.subscribe('test.thing', lambda _: traces.append(trace_headers()[0]))
    sent = wire.event(tracestate='')
    wire.sender.publish(sent)
    wire.until(lambda: traces)
    assert trace_id(traces[0]) == trace_id(sent.traceparent)
    assert trace_id(trace_headers()[0]) != trace_id(sent.traceparent)


def test_a_handler_that_fails_does_not_hurt_the_others(wire: Wire) -> None:
    def broken(_: Event) -> None:
        raise RuntimeError('lens cap on')
    wire.receiver.subscribe('test.thing', broken)
    wire.receiver.subscribe('test.thing', wire.heard.append)
    for number in range(3):
        wire.sender.publish(wire.event(data=number))
    wire.expect(0, 1, 2)
    wire.until(lambda: wire.receiver.counts() == {'delivered': 3, 'failed': 3})


def test_handlers_run_one_at_a_time(wire: Wire) -> None:
    busy = threading.Lock()
    clashes: list[Event] = []

    def alone(event: Event) -> None:
        if not busy.acquire(blocking=False):
            clashes.append(event)
            return
        wire.heard.append(event)
        busy.release()
    for pattern in ('test.thing', 'test.*', '**'):
        wire.receiver.subscribe(pattern, alone)
    for number in range(50):
        wire.sender.publish(wire.event(data=number))
    wire.until(lambda: len(wire.heard) + len(clashes) == 150)
    assert not clashes
