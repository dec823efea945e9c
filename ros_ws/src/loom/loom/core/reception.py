"""Where every bus lets events in: checked, accounted for, served by priority, handed to handlers in their trace."""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence

from loom.core.account import Account
from loom.core.bus import Handler
from loom.core.clock import NANOSECONDS, Clock, wall_ns
from loom.core.delivery import LANES, Delivery
from loom.core.errors import EventError
from loom.core.event import Event, check
from loom.core.inlet import FIRST_SENT, Inlet, Waiting
from loom.core.numbering import Progress
from loom.core.trace import continued
from loom.core.wire import number_of

MAX_BACKLOG = 20_000
MAX_SOURCES = 256
FUTURE_NS = 60 * NANOSECONDS
# Of so many events in a row from higher lanes, one from a lower lane that waits is served in between.
PASSED_OVER = 32


class Reception:
    """The inlets of one bus. `take` and `serve` run on the bus's thread; `poll` fetches for lanes above a number.

    `consumed` collects the inlets whose writers may be owed credit; whoever grants it clears the set.
    """

    def __init__(self, clock: Clock, logger: logging.Logger, poll: Callable[[int], None] = lambda lane: None) -> None:
        self.inlets: list[Inlet] = []
        self.consumed: set[Inlet] = set()
        self.backlog = 0
        self._clock = clock
        self._logger = logger
        self._poll = poll
        self._lanes: tuple[deque[Inlet], ...] = tuple(deque() for _ in range(LANES))
        self._passed = [0] * LANES
        self._closed: Counter[str] = Counter()
        self._logged: set[str] = set()
        self._horizon_ns = 0
        self._serving = False

    def open(self, topic: str, handler: Handler, delivery: Delivery, progress: Progress | None = None) -> Inlet:
        """A new inlet for a handler."""
        inlet = Inlet(topic, handler, delivery, progress or Progress())
        self.inlets.append(inlet)
        return inlet

    def close(self, inlet: Inlet) -> None:
        """Ends an inlet; what it counted stays in the totals."""
        if inlet.open:
            self.backlog -= len(inlet.queue)
            inlet.close()
            self._closed.update(inlet.account.counts())
            self.inlets.remove(inlet)

    def accounts(self) -> list[tuple[Account, int]]:
        """(account, events that wait) of each open inlet."""
        return [(inlet.account, len(inlet.queue)) for inlet in list(self.inlets)]

    def counts(self) -> dict[str, int]:
        """What was delivered and what was not, by reason, over all inlets."""
        total = Counter(self._closed)
        for account, _ in self.accounts():
            total.update(account.counts())
        return dict(total)

    def pass_on(self, inlets: Sequence[Inlet], data: bytes) -> bool:
        """Delivers an encoded event at once, if nothing is before it; False where it has to be taken and served."""
        if self.backlog or self._serving:
            return False
        for inlet in inlets:
            if inlet.paused:
                return False
        try:
            writer, sequence = number_of(data)
        except EventError as error:
            self._malformed(inlets, error)
            return True
        arrived_ns = wall_ns()
        self._serving = True
        try:
            for inlet in inlets:
                if inlet.open and inlet.count(writer, sequence):
                    self._deliver(inlet, Waiting(data, arrived_ns, writer, sequence))
        finally:
            self._serving = False
        return True

    def take(self, inlets: Sequence[Inlet], event: Event | bytes, writer: int = 0, sequence: int = 0) -> None:
        """Queues an event, or its encoding, for some inlets; the lowest lane is shed where too many wait in all."""
        try:
            if isinstance(event, bytes):
                writer, sequence = number_of(event)
        except EventError as error:
            self._malformed(inlets, error)
            return
        waiting = Waiting(event, wall_ns(), writer, sequence)
        for inlet in inlets:
            if inlet.open:
                try:
                    self.backlog += inlet.offer(waiting)
                except EventError as error:
                    # It was counted as offered before it was looked into.
                    inlet.account.drop('malformed')
                    self._say('malformed', str(error), inlet.topic, 'unknown')
                if not inlet.in_lane and not inlet.paused and inlet.queue:
                    self._queue_up(inlet)
        while self.backlog > MAX_BACKLOG:
            self._shed()

    def resume(self, inlet: Inlet) -> None:
        """Serves a paused inlet again."""
        inlet.paused = False
        if inlet.open and inlet.queue and not inlet.in_lane:
            self._queue_up(inlet)

    def serve(self, budget_s: float = float('inf')) -> bool:
        """Delivers what waits, urgent lanes first; True where more waits after `budget_s` seconds."""
        if self._serving:
            return False
        self._serving = True
        until = time.monotonic() + budget_s
        try:
            while any(self._lanes):
                if self.backlog > 1 and not self._lanes[0]:
                    self._poll(next(number for number, lane in enumerate(self._lanes) if lane))
                self._deliver_from(self._lanes[self._next_lane()])
                if time.monotonic() > until:
                    return any(self._lanes)
            return False
        finally:
            self._serving = False

    def _queue_up(self, inlet: Inlet) -> None:
        inlet.in_lane = True
        self._lanes[inlet.delivery.lane].append(inlet)

    def _next_lane(self) -> int:
        first, *others = (number for number, lane in enumerate(self._lanes) if lane)
        for number in others:
            self._passed[number] += 1
            if self._passed[number] > PASSED_OVER:
                self._passed[number] = 0
                return number
        return first

    def _deliver_from(self, lane: deque[Inlet]) -> None:
        inlet = lane.popleft()
        inlet.in_lane = False
        if not inlet.open or inlet.paused or not inlet.queue:
            return
        waiting = inlet.queue.popleft()
        self.backlog -= 1
        if inlet.queue:
            self._queue_up(inlet)
        self._deliver(inlet, waiting)

    def _deliver(self, inlet: Inlet, waiting: Waiting) -> None:
        self._decide(inlet, waiting)
        if inlet.grants.active:
            inlet.grants.consumed(waiting.writer, waiting.sequence)
            self.consumed.add(inlet)

    def _decide(self, inlet: Inlet, waiting: Waiting) -> None:
        account, event, began_ns = inlet.account, waiting.event, wall_ns()
        account.waits_ns.append(began_ns - waiting.arrived_ns)
        try:
            if isinstance(event, bytes):
                event = inlet.decode(event, waiting.arrived_ns, began_ns)
            else:
                event = event.arrived(waiting.arrived_ns, began_ns)
            reason = self._refusal(inlet, event)
        except EventError as error:
            account.drop('malformed')
            what, sender = ((event.type, event.sender or event.source) if isinstance(event, Event)
                            else (inlet.topic, f'writer {waiting.writer:x}'))
            self._say('malformed', str(error), what, sender)
            return
        if reason == 'expired':
            account.expired += 1
            return
        if reason:
            account.drop(reason)
            # What was sent once more on purpose is nobody's mistake.
            if reason != 'duplicate' or FIRST_SENT not in event.metadata:
                self._say(reason, '', event.type, event.sender or event.source)
            return
        account.delivered += 1
        try:
            with continued(event.traceparent, event.tracestate):
                inlet.handler(event)
        except Exception:
            account.failed += 1
            self._logger.exception('the handler of %s failed; the event is lost to it, others go on', event.type)

    def _refusal(self, inlet: Inlet, event: Event) -> str:
        if event.expires_ns and event.expired(self._clock.now_ns()) or inlet.too_old(event, event.began_ns):
            return 'expired'
        if event.hops >= event.hop_limit:
            return 'hop_limit'
        check(event)
        if event.stamp_ns > self._horizon_ns and self._from_the_future(event.stamp_ns):
            return 'future'
        return 'duplicate' if inlet.heard_before(event) else ''

    def _from_the_future(self, stamp_ns: int) -> bool:
        # Reading a ROS clock costs more than all other checks: it is read only when a stamp passes the last horizon.
        now_ns = self._clock.now_ns()
        self._horizon_ns = now_ns + FUTURE_NS // 2
        return now_ns > 0 and stamp_ns > now_ns + FUTURE_NS

    def _malformed(self, inlets: Sequence[Inlet], error: EventError) -> None:
        for inlet in inlets:
            inlet.account.missed('malformed', 1)
            self._say('malformed', str(error), inlet.topic, 'unknown')

    def _shed(self) -> None:
        longest = max((i for i in self.inlets if i.queue), key=lambda i: (i.delivery.lane, len(i.queue)))
        longest.shed('shed')
        self.backlog -= 1

    def _say(self, reason: str, text: str, event_type: str, source: str) -> None:
        source = source[:80]
        if source not in self._logged and len(self._logged) < MAX_SOURCES:
            self._logged.add(source)
            self._logger.warning('dropped %s from %r: %s%s (said once; see the counts)', event_type[:80], source,
                                 reason, f': {text[:400]}' if text else '')
