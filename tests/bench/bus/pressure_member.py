"""Processes for backpressure: a source that heeds the room it has, and a consumer that can be slowed down."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from bus.crew import END, RUN, WORDS
from bus.loom_process import spinning
from bus.tally import Tally

from loom.core.delivery import BATCHED
from loom.core.event import Event
from loom.core.pacing import Throttle
from loom.ros.bus import RosBus
from loom.ros.process import die_with_parent

TYPE, FULL_HZ, FILLING = 'load.credit', 500.0, 'x' * 1000
# The second counter of `control`: microseconds that the consumer needs for each event.
WORK_US = 1
# Of the source: accepted, refused, most that were held at once. Of the consumer: handled, out of order.
ACCEPTED, REFUSED, HELD = range(3)
HANDLED, DISORDER = range(2)
SIZE = 3


def produce(control: Tally, tally: Tally) -> None:
    """Full rate while there is room; what the throttle holds back is not made."""
    with spinning('source') as node:
        bus, throttle, due = RosBus(node), Throttle(), time.monotonic()
        while control[0] != END:
            due = max(due + 1 / FULL_HZ, time.monotonic() - 0.1)
            time.sleep(max(0.0, due - time.monotonic()))
            if control[0] == RUN and throttle.admits(bus.room(TYPE, BATCHED)):
                event = Event.create(TYPE, [tally[ACCEPTED], FILLING], source='s', stamp_ns=time.time_ns())
                bus.publish(event, BATCHED)
                tally.add(ACCEPTED)
        bus.close()


def consume(control: Tally, tally: Tally) -> None:
    """Takes its time for each event."""
    def handle(event: Event) -> None:
        if event.data[0] != tally[HANDLED]:
            tally.add(DISORDER)
        tally.add(HANDLED)
        if control[WORK_US]:
            time.sleep(control[WORK_US] / 1e6)
    with spinning('consumer') as node:
        bus = RosBus(node)
        bus.subscribe(TYPE, handle, BATCHED)
        while control[0] != END:
            time.sleep(0.05)
        print(bus.counts(), flush=True)
        bus.close()


def main() -> None:
    """Runs the role that the command line names."""
    control, tally = Tally(Path('control'), WORDS), Tally(Path(f'{sys.argv[1]}.tally'), SIZE)
    die_with_parent()
    (produce if sys.argv[1] == 'source' else consume)(control, tally)


if __name__ == '__main__':
    main()
