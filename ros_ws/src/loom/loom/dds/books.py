"""The books of a DdsBus on their topics."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress

from loom.core.book_messages import (
    Credit,
    ReaderAccount,
    WriterAccount,
    decode_credit,
    decode_writers,
    encode_accounts,
    encode_credit,
)
from loom.core.books import ACCOUNTS, CREDIT, CREDITS, PERIOD_S, Books
from loom.core.clock import wall_ns
from loom.core.delivery import STATE, Delivery
from loom.core.errors import EventError
from loom.core.reception import Reception
from loom.dds.cyclone import Participant, Reader
from loom.dds.cyclone import Writer as RawWriter
from loom.dds.event_topics import Writer

CREDIT_TYPE, ACCOUNTS_TYPE = 'loom_msgs.msg.dds_.Credit_', 'loom_msgs.msg.dds_.Accounts_'


class DdsBooks(Books):
    """Publishes and hears accounts and credits; everything on the bus's thread."""

    def __init__(self, participant: Participant, base: str, name: str, number: int, reception: Reception,
                 writers: Mapping[str, Writer]) -> None:
        super().__init__(number, participant.prefix, reception, writers, self._send_credit, self._send_accounts)
        self._name = base + name
        self._credits: tuple[RawWriter, Reader] = _both(participant, base + CREDIT, CREDIT_TYPE, CREDITS)
        self._accounts: tuple[RawWriter, Reader] = _both(participant, base + ACCOUNTS, ACCOUNTS_TYPE, STATE)
        self._due_s = time.monotonic() + PERIOD_S

    def turn(self) -> None:
        """Hears what others told, and tells what is due."""
        # What is damaged is left: it is told again within a second.
        for data in self._credits[1].take():
            with suppress(EventError):
                self.on_credit(decode_credit(data))
        for data in self._accounts[1].take():
            with suppress(EventError):
                self.on_accounts(decode_writers(data))
        self.grant()
        if time.monotonic() >= self._due_s:
            self._due_s = time.monotonic() + PERIOD_S
            self.tick()

    def _send_credit(self, credit: Credit) -> None:
        self._credits[0].write(encode_credit(credit))

    def _send_accounts(self, writers: list[WriterAccount], readers: list[ReaderAccount]) -> None:
        self._accounts[0].write(encode_accounts(wall_ns(), self._name, writers, readers))


def _both(participant: Participant, topic: str, kind: str, delivery: Delivery) -> tuple[RawWriter, Reader]:
    return participant.writer(topic, delivery, kind), participant.reader(topic, delivery, kind)
