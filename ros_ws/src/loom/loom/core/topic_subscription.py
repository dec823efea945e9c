"""What the buses on DDS topics have in common: a registration with one inlet for each topic, and a bound on topics."""

from __future__ import annotations

from collections.abc import Callable, Sized

from loom.core.errors import EventError
from loom.core.inlet import Inlet

MAX_TOPICS = 1000


class TopicSubscription:
    """A handler's registration: one inlet for each topic that matches; `go_on` and `end` are its bus's."""

    def __init__(self, go_on: Callable[[list[Inlet]], None], end: Callable[[TopicSubscription], None]) -> None:
        self.inlets: dict[str, Inlet] = {}
        self._go_on = go_on
        self._end = end

    def pause(self) -> None:
        """What comes waits until resume()."""
        for inlet in list(self.inlets.values()):
            inlet.paused = True

    def resume(self) -> None:
        """Delivers what waited, and what comes."""
        self._go_on(list(self.inlets.values()))

    def close(self) -> None:
        """Ends it: the handler is not called again."""
        self._end(self)


def check_topics(writers: Sized, event_type: str) -> None:
    """EventError where a bus that has these writers may not get one more."""
    if len(writers) >= MAX_TOPICS:
        raise EventError(f'a bus publishes at most {MAX_TOPICS} types, {event_type!r} would be one more; put what '
                         f'varies into the data')
