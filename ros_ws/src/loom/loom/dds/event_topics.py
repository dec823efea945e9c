"""The two ends of an event's topic in a process: encoded events go out, and come in as they are."""

from __future__ import annotations

from loom.core.delivery import Delivery
from loom.core.event_writer import EventWriter
from loom.core.inlet import Inlet
from loom.core.numbering import Numbering
from loom.core.reception import Reception
from loom.dds.cyclone import Participant


class Writer(EventWriter):
    """Publishes one topic; any thread may call it."""

    def __init__(self, participant: Participant, topic: str, delivery: Delivery, numbering: Numbering) -> None:
        super().__init__(topic, delivery, numbering, participant.writer(topic, delivery).write)


class Reader:
    """Hears one topic for all inlets of one delivery class."""

    def __init__(self, participant: Participant, topic: str, delivery: Delivery) -> None:
        self.inlets: tuple[Inlet, ...] = ()
        self._participant = participant
        self._reader = participant.reader(topic, delivery)

    def fetch(self, reception: Reception) -> None:
        """Takes what DDS has, without delivering it."""
        for data in self._reader.take():
            reception.take(self.inlets, data)

    def close(self) -> None:
        """Ends it; only on the thread that fetches."""
        self._participant.remove(self._reader)
