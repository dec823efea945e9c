"""One subscription's end of a bus: its queue, what the queue does when it is full, and its account."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import NamedTuple

from loom.core.account import Account
from loom.core.bus import Handler
from loom.core.clock import NANOSECONDS
from loom.core.credit import Grants
from loom.core.delivery import Delivery
from loom.core.event import Event
from loom.core.numbering import Progress
from loom.core.wire import Decoder

SAMPLE_OF = 4
RECENT = 256
COALESCED = 'coalesced'
# In the metadata of what is sent once more, and of a call on its way to the agent: when it was first sent, in
# nanoseconds of the wall clock.
FIRST_SENT = 'first_sent_ns'
MAX_DIGITS = 20


def first_sent_ns(event: Event) -> int:
    """When an event was first sent, by the wall clock of its sender; 0: unknown."""
    given = event.metadata.get(FIRST_SENT, '')
    return int(given) if given.isdecimal() and len(given) < MAX_DIGITS else event.sent_ns


class Waiting(NamedTuple):
    """An event in a queue with its arrival by the wall clock and its number."""

    event: Event | bytes
    arrived_ns: int
    writer: int
    sequence: int


class Inlet:
    """Takes what arrives for one handler; a paused one keeps it until resumed."""

    def __init__(self, topic: str, handler: Handler, delivery: Delivery, progress: Progress) -> None:
        self.topic = topic
        self.handler = handler
        self.delivery = delivery
        self.progress = progress
        self.account = Account(topic, delivery.name)
        self.queue: deque[Waiting] = deque()
        self.grants = Grants(delivery)
        self.open = True
        self.paused = False
        self.in_lane = False
        self.decode = Decoder()
        self._max_age_ns = round(delivery.lifespan_s * NANOSECONDS) if delivery.expires_at_reader else 0
        self._recent: dict[str, None] = {}

    def offer(self, waiting: Waiting) -> int:
        """Queues an event, unless it was heard before; returns by how many the queue grew."""
        if not self.count(waiting.writer, waiting.sequence):
            return 0
        account, before, policy = self.account, len(self.queue), self.delivery.policy
        if policy in ('keep_latest', 'coalesce'):
            self._merge(waiting, keep_count=policy == 'coalesce')
        elif policy == 'sample' and before * 2 >= self.delivery.depth and account.offered % SAMPLE_OF:
            account.drop('sampled')
        else:
            self.queue.append(waiting)
        if len(self.queue) > self.delivery.depth and policy != 'credit':
            self.shed('overrun')
        return len(self.queue) - before

    def count(self, writer: int, sequence: int) -> bool:
        """Takes an event's number into the account; False where it was heard before."""
        account = self.account
        lost = self.progress.step(writer, sequence)
        if lost < 0:
            account.missed('repeated', 1)
            return False
        if lost:
            account.missed('lost', lost)
        account.offered += 1
        if self.grants.active:
            self.grants.heard(writer, sequence)
        return True

    def too_old(self, event: Event, wall_ns: int) -> bool:
        """Whether an event was sent longer ago than its class lets it live."""
        return 0 < self._max_age_ns < wall_ns - event.sent_ns and event.sent_ns > 0

    def shed(self, reason: str) -> None:
        """Drops the oldest event that waits."""
        self.queue.popleft()
        self.account.drop(reason)

    def heard_before(self, event: Event) -> bool:
        """Whether an event with this id was delivered lately, by whatever writer."""
        recent = self._recent
        if event.id in recent:
            return True
        recent[event.id] = None
        if len(recent) > RECENT:
            del recent[next(iter(recent))]
        return False

    def close(self) -> None:
        """Nothing is delivered from now on; what waited is accounted for."""
        self.open = False
        if self.queue:
            self.account.drop('closed', len(self.queue))
            self.queue.clear()

    def _merge(self, waiting: Waiting, keep_count: bool) -> None:
        event = self.decode(waiting.event) if isinstance(waiting.event, bytes) else waiting.event
        for place, older in enumerate(self.queue):
            known = older.event
            assert isinstance(known, Event)
            if (known.type, known.source) == (event.type, event.source):
                if keep_count:
                    number = int(known.metadata.get(COALESCED, '1')) + 1
                    event = replace(event, metadata={**event.metadata, COALESCED: str(number)})
                self.queue[place] = waiting._replace(event=event)
                self.account.drop('coalesced' if keep_count else 'superseded')
                return
        self.queue.append(waiting._replace(event=event))
