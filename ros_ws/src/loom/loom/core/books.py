"""The books of a bus: its accounts once a second, credit for those who write to it, and what never came."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping

from loom.core.book_messages import Credit, ReaderAccount, WriterAccount
from loom.core.credit import reader_of, tag_of
from loom.core.delivery import Delivery
from loom.core.event_writer import EventWriter
from loom.core.inlet import Inlet
from loom.core.reception import Reception

ACCOUNTS, CREDIT = 'loom/bus/accounts', 'loom/bus/credit'
CREDITS = Delivery('CREDIT', depth=200)
PERIOD_S = 0.5
# What was published so long ago has come, or lies in no queue of DDS any more.
SETTLED_S = 1.0
MAX_REPORTS = 1000


class Books:
    """Keeps the books of one bus incarnation `number`; a bus calls `tick` every PERIOD_S, all on one thread.

    `participant` is what the ids of the bus's DDS endpoints begin with, or empty: then writers only see by their
    silence that its readers are gone.
    """

    def __init__(self, number: int, participant: bytes, reception: Reception, writers: Mapping[str, EventWriter],
                 tell_credit: Callable[[Credit], None],
                 tell_accounts: Callable[[list[WriterAccount], list[ReaderAccount]], None]) -> None:
        self._number = number
        self._tag = tag_of(participant)
        self._reception = reception
        self._writers = writers
        self._tell_credit = tell_credit
        self._tell_accounts = tell_accounts
        self._reports: deque[tuple[float, WriterAccount]] = deque(maxlen=MAX_REPORTS)
        self._told: dict[tuple[str, int], int] = {}
        self._last: object = ([], [])
        self._ticks = 0

    def tick(self) -> None:
        """Renews credit, lets go what waited for readers that are gone, settles, and tells the accounts."""
        for inlet in list(self._reception.inlets):
            self._grant(inlet)
        for writer in list(self._writers.values()):
            writer.flush()
        self._settle()
        self._ticks += 1
        if self._ticks % 2 == 0:
            self.publish_accounts()

    def grant(self) -> None:
        """Tells writers how far they may go with the inlets that consumed something."""
        inlets, self._reception.consumed = self._reception.consumed, set()
        for inlet in inlets:
            self._grant(inlet)

    def reader_ended(self, inlet: Inlet) -> None:
        """A reader grants nothing any more."""
        if inlet.grants.active:
            self._tell_credit(Credit(inlet.topic, self._reader(inlet), closed=True))

    def on_credit(self, credit: Credit) -> None:
        """A reader of some bus told how far a writer may go."""
        for writer in list(self._writers.values()):
            if writer.topic == credit.topic and (credit.closed or credit.writer == self._number):
                writer.granted(credit.reader, credit.limit, credit.closed)

    def on_accounts(self, writers: list[WriterAccount]) -> None:
        """Some bus told how much it has published."""
        now, topics = time.monotonic(), {inlet.topic for inlet in list(self._reception.inlets)}
        self._reports.extend((now, writer) for writer in writers if writer.topic in topics)

    def publish_accounts(self) -> None:
        """Tells the accounts if they have changed."""
        writers = [_writer_account(writer, self._number) for writer in list(self._writers.values())]
        readers = [_reader_account(inlet) for inlet in list(self._reception.inlets)]
        if (writers, readers) != self._last:
            self._last = (writers, readers)
            self._tell_accounts(writers, readers)

    def _grant(self, inlet: Inlet) -> None:
        if inlet.grants.active:
            for writer, limit in inlet.grants.due():
                self._tell_credit(Credit(inlet.topic, self._reader(inlet), writer, limit))

    def _reader(self, inlet: Inlet) -> int:
        return reader_of(self._tag, inlet.grants.number)

    def _settle(self) -> None:
        """Counts as lost what a writer published and no queue holds any more."""
        while self._reports and time.monotonic() - self._reports[0][0] > SETTLED_S:
            _, report = self._reports.popleft()
            self._told[report.topic, report.writer] = report.published
        for (topic, writer), published in list(self._told.items()):
            inlets = [inlet for inlet in self._reception.inlets if inlet.topic == topic]
            for inlet in inlets:
                # One that is behind may not have taken all from DDS: it is asked again, the report is not repeated.
                if not inlet.queue:
                    inlet.account.missed('lost', inlet.progress.missing(writer, published))
            if not any(inlet.queue for inlet in inlets):
                del self._told[topic, writer]


def _reader_account(inlet: Inlet) -> ReaderAccount:
    account = inlet.account
    return ReaderAccount(account.topic, account.delivery, account.offered, account.delivered, account.expired,
                         len(inlet.queue), tuple(account.dropped.items()), account.failed, *account.waited_ms())


def _writer_account(writer: EventWriter, number: int) -> WriterAccount:
    outlet = writer.outlet
    return WriterAccount(writer.topic, writer.delivery.name, number, writer.published, outlet.refused if outlet else 0,
                         len(outlet.held) if outlet else 0)
