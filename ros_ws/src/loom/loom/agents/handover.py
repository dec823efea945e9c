"""Handover: the place on the bus of agents that replace each other; what comes in between waits for the next."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Collection
from typing import Any

from loom.agents.claim import CLAIM
from loom.agents.meetings import ARRIVE
from loom.core.bus import Bus, Handler, Subscription
from loom.core.delivery import BATCHED, REALTIME, Delivery
from loom.core.event import Event

MAX_HELD = 10_000
MAX_OPEN = 1000
# What concerns work that has begun goes to whoever began it, also while new work has to wait.
BEGUN = ('reply', 'capability.', 'request.', ARRIVE, CLAIM)
Open = Callable[[Handler], Subscription]


class Handover:
    """Keeps what its stages subscribed to open, from one to the next, so that nothing that is sent finds nobody.

    Between hold() and release() the agents change: new questions, calls and events wait.
    """

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.holding = False
        self._lines: list[Line] = []
        self._lock = threading.Lock()

    def hold(self, passing: Collection[str] = ()) -> None:
        """From now on new work waits; events of the patterns that pass, and answers, don't."""
        self.holding = True
        with self._lock:
            for line in self._lines:
                line.hold(line.key[0] == 'mailbox' or line.key[1] not in passing)

    def release(self) -> None:
        """Gives what waited to whoever is there now; what nobody reads any longer is closed."""
        self.holding = False
        with self._lock:
            lines, self._lines = self._lines, [line for line in self._lines if line.used]
        for line in lines:
            if line.used:
                line.release()
            else:
                line.close()

    def attach(self, key: tuple[Any, ...], handler: Handler, open_real: Open) -> Line:
        """A line with this handler: the one that the last reader left, or a new one."""
        with self._lock:
            line = next((line for line in self._lines if line.key == key and not line.used), None)
            found = line is not None
            line = line or Line(key, self)
            line.attach(handler)
            if not found:
                line.hold(self.holding)
                self._lines.append(line)
        try:
            if not found:
                line.real = open_real(line)
            elif line.real is not None:
                line.real.resume()
        except BaseException:
            line.detach(handler)
            raise
        return line

    def detached(self, line: Line) -> None:
        """A reader has left its line: the next one takes it over, or nobody will."""
        if not self.holding:
            with self._lock:
                if line in self._lines:
                    self._lines.remove(line)
            line.close()


class Line:
    """One subscription or mailbox of the bus, whose reader may change."""

    def __init__(self, key: tuple[Any, ...], handover: Handover) -> None:
        self.key = key
        self.real: Subscription | None = None
        self._handover = handover
        self._handler: Handler | None = None
        self._holding = False
        self._held: deque[Event] = deque(maxlen=MAX_HELD)
        self._lock = threading.Lock()

    @property
    def used(self) -> bool:
        """Whether somebody reads it."""
        return self._handler is not None

    def __call__(self, event: Event) -> None:
        """Takes an event from the bus."""
        with self._lock:
            handler = self._handler
            begun = event.type.startswith(BEGUN) and event.type != 'capability.call'
            if handler is None or self._holding and not begun:
                self._held.append(event)
                return
        handler(event)

    def attach(self, handler: Handler) -> None:
        """Somebody reads it from now on."""
        with self._lock:
            self._handler = handler

    def detach(self, handler: Handler) -> None:
        """This reader has left; nothing where another one took over already."""
        with self._lock:
            mine = self._handler is handler
            if mine:
                self._handler = None
        if mine:
            self._handover.detached(self)

    def hold(self, holding: bool) -> None:
        """Whether new work waits from now on."""
        with self._lock:
            self._holding = holding

    def again(self, events: Collection[Event]) -> None:
        """Puts events before those that wait."""
        with self._lock:
            self._held.extendleft(reversed(list(events)))

    def release(self) -> None:
        """Hands on what waited, in order, then what comes."""
        while True:
            with self._lock:
                if not self._held or self._handler is None:
                    self._holding = False
                    return
                event, handler = self._held.popleft(), self._handler
            # Without the lock: a handler may send, and a bus may deliver that at once.
            handler(event)

    def close(self) -> None:
        """Ends the subscription."""
        if self.real is not None:
            self.real.close()


class Stage:
    """The bus of one generation of agents; after cut() nothing gets in or out, whatever still runs of them."""

    def __init__(self, handover: Handover) -> None:
        self._handover = handover
        self._bus = handover.bus
        self._live = True
        self._readers: list[_Reader] = []
        self._open: OrderedDict[str, tuple[Line, Event]] = OrderedDict()
        self._lock = threading.Lock()

    def publish(self, event: Event, delivery: Delivery = REALTIME) -> None:
        """Hands the event to everyone who subscribed to its type."""
        if self._live:
            self._bus.publish(event, delivery)

    def room(self, event_type: str, delivery: Delivery = BATCHED) -> int:
        """How many events of a type can be published now without one having to wait for a slow reader."""
        return self._bus.room(event_type, delivery)

    def subscribe(self, pattern: str, handler: Handler, delivery: Delivery = REALTIME) -> Subscription:
        """Calls the handler with each event whose type matches the pattern."""
        line = self._handover.attach(('events', pattern, delivery), handler,
                                     lambda line: self._bus.subscribe(pattern, line, delivery))
        return self._reader(line, handler)

    def send(self, address: str, event: Event) -> None:
        """Puts the event into one mailbox."""
        if not self._live:
            return
        if event.type == 'reply':
            self._answered(event.correlation_id)
        self._bus.send(address, event)

    def receive(self, address: str, handler: Handler) -> Subscription:
        """Opens the mailbox of `address`."""
        def take(event: Event) -> None:
            if event.type == 'request.cancel':
                self._answered(str(event.data['id']))
            if self._asked(event, line):
                handler(event)
            else:
                line(event)
        line = self._handover.attach(('mailbox', address), take, lambda line: self._bus.receive(address, line))
        return self._reader(line, take)

    def counts(self) -> dict[str, int]:
        """What was delivered and what was dropped, by reason."""
        return self._bus.counts()

    def close(self) -> None:
        """Ends all subscriptions."""
        for reader in self._readers:
            reader.close()

    def cut(self) -> None:
        """Ends this generation; what it was asked and did not answer is asked of the next."""
        self.close()
        with self._lock:
            self._live = False
            left, self._open = self._open, OrderedDict()
        by_line: dict[Line, list[Event]] = {}
        for line, event in left.values():
            by_line.setdefault(line, []).append(event)
        for line, events in by_line.items():
            line.again(events)

    def _reader(self, line: Line, handler: Handler) -> _Reader:
        self._readers.append(_Reader(line, handler))
        return self._readers[-1]

    def _asked(self, event: Event, line: Line) -> bool:
        """Notes what is to be answered; False where this generation has just ended."""
        with self._lock:
            if self._live and event.reply_to and not event.type.startswith(BEGUN):
                self._open[event.id] = (line, event)
                if len(self._open) > MAX_OPEN:
                    self._open.popitem(last=False)
            return self._live

    def _answered(self, question_id: str) -> None:
        with self._lock:
            self._open.pop(question_id, None)


class _Reader:
    """One handler's hold on a line."""

    def __init__(self, line: Line, handler: Handler) -> None:
        self._line = line
        self._handler = handler

    def pause(self) -> None:
        """What comes waits at the bus until resume()."""
        if self._line.real is not None:
            self._line.real.pause()

    def resume(self) -> None:
        """Delivers what waited, and what comes."""
        if self._line.real is not None:
            self._line.real.resume()

    def close(self) -> None:
        """The handler is not called again."""
        self._line.detach(self._handler)
