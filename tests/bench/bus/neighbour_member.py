"""Processes for the neighbours: a steady source, listeners that note latencies, and sources that heed no credit."""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from bus.crew import END
from bus.loom_process import spinning
from bus.tally import Tally
from loom_msgs.msg import Event as EventMessage

from loom.core.delivery import BACKGROUND, REALTIME
from loom.core.event import Event
from loom.core.numbering import Numbering
from loom.core.topics import topic_of
from loom.core.wire import encode
from loom.ros.bus import RosBus
from loom.ros.process import die_with_parent
from loom.ros.qos import publisher_profile

URGENT, BULK = 'load.urgent', 'load.bulk'
# Counters of `control`: the phase whose latencies are noted (0: none), what a bulk or victim's event takes, the flood.
PHASE, WORK_US, FLOOD = 1, 2, 3
WORDS = 4
URGENT_HZ, FLOOD_HZ = 250.0, 2500.0


def beats(control: Tally, rate_hz: float) -> Iterator[None]:
    """Until the end, at a steady rate; what is late is not made up for."""
    due = time.monotonic()
    while control[0] != END:
        yield
        due = max(due + 1 / rate_hz, time.monotonic() - 0.1)
        time.sleep(max(0.0, due - time.monotonic()))


def source(name: str, control: Tally) -> None:
    """Urgent events at a steady rate."""
    with spinning(name) as node:
        bus = RosBus(node)
        for _ in beats(control, URGENT_HZ):
            bus.publish(Event.create(URGENT, 'x' * 100, source=name, stamp_ns=time.time_ns()))
        bus.close()


def flood(name: str, control: Tally) -> None:
    """Background events without a bus: no credit stops it."""
    with spinning(name) as node:
        publisher = node.create_publisher(EventMessage, topic_of(BULK), publisher_profile(BACKGROUND))
        numbering = Numbering()
        for _ in beats(control, FLOOD_HZ):
            if control[FLOOD]:
                event = Event.create(BULK, 'x' * 100, source=name, stamp_ns=time.time_ns())
                publisher.publish(encode(event, numbering.writer, numbering.next(BULK)))
                numbering.sent(BULK)
            else:
                time.sleep(0.01)


def listen(name: str, control: Tally, bulk: bool = False, victim: bool = False) -> None:
    """Notes the latency of urgent events by phase; for a victim they, else bulk events take the time of `control`."""
    latencies_us: defaultdict[int, list[float]] = defaultdict(list)
    counts = Tally(Path(f'{name}.tally'), 2)

    def urgent(event: Event) -> None:
        if control[PHASE]:
            latencies_us[control[PHASE]].append((time.time_ns() - event.sent_ns) / 1e3)
        counts.add(0)
        if victim:
            work(event)

    def work(_: Event) -> None:
        counts.add(1)
        if control[WORK_US]:
            time.sleep(control[WORK_US] / 1e6)
    with spinning(name) as node:
        bus = RosBus(node)
        bus.subscribe(URGENT, urgent, REALTIME)
        if bulk:
            bus.subscribe(BULK, work, BACKGROUND)
        while control[0] != END:
            time.sleep(0.05)
        bus.close()
    Path(f'{name}.json').write_text(json.dumps({'latencies_us': latencies_us, 'counts': bus.counts()}))


def main() -> None:
    """Runs the role that the command line names."""
    role, name = sys.argv[1:]
    control = Tally(Path('control'), WORDS)
    die_with_parent()
    if role in ('source', 'flood'):
        (source if role == 'source' else flood)(name, control)
    else:
        listen(name, control, bulk=role == 'mixed', victim=role == 'victim')


if __name__ == '__main__':
    main()
