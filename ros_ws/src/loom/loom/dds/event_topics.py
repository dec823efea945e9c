"""The two ends of an event's topic in a process: encoded events go out, and come in as they are."""

from __future__ import annotations

from collections.abc import Collection

from loom.core.credit import tag_of
from loom.core.delivery import Delivery
from loom.core.event_writer import EventWriter
from loom.core.inlet import Inlet
from loom.core.numbering import Numbering
from loom.core.reception import Reception
from loom.dds.cyclone import Participant


class Writer(EventWriter):
    """Publishes one topic; any thread may call it."""

    def __init__(self, participant: Participant, topic: str, delivery: Delivery, numbering: Numbering) -> None:
        self._writer = participant.writer(topic, delivery)
        super().__init__(topic, delivery, numbering, self._writer.write, self._participants)

    def _participants(self) -> Collection[int]:
        return {tag_of(participant) for participant in self._writer.participants()}


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
