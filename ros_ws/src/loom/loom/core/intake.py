"""The door of every bus: what arrives is checked, counted, and handed to its handler inside its trace."""

from __future__ import annotations

import logging
from collections import Counter

from loom.core.bus import Handler
from loom.core.clock import Clock
from loom.core.errors import EventError
from loom.core.event import Event, check
from loom.core.trace import continued

MAX_SOURCES = 256


class Intake:
    """Delivers good events and counts the others by reason; logs once for each source that sends bad ones."""

    def __init__(self, clock: Clock, logger: logging.Logger) -> None:
        self._clock = clock
        self._logger = logger
        self._logged: set[str] = set()
        self.counts: Counter[str] = Counter()

    def deliver(self, event: Event, handler: Handler) -> None:
        """Calls the handler, unless the event is malformed, expired or at its hop limit."""
        reason = self._refusal(event)
        if reason:
            self.drop(reason, event.sender or event.source, event.type)
            return
        try:
            with continued(event.traceparent, event.tracestate):
                handler(event)
            self.counts['delivered'] += 1
        except Exception:
            self.counts['failed'] += 1
            self._logger.exception('the handler of %s failed; the event is lost to it, others go on', event.type)

    def drop(self, reason: str, source: str, event_type: str) -> None:
        """Counts an event that is not delivered, and says so once for each source."""
        self.counts[reason.split(':')[0]] += 1
        source = source[:80]
        if source not in self._logged and len(self._logged) < MAX_SOURCES:
            self._logged.add(source)
            self._logger.warning('dropped %s from %r: %s (said once; see the counts)', event_type[:80], source, reason)

    def skip(self, reason: str, number: int) -> None:
        """Counts events that the transport lost or repeated."""
        if number:
            self.counts[reason] += number

    def _refusal(self, event: Event) -> str:
        if event.expired(self._clock.now_ns()):
            return 'expired'
        if event.hops >= event.hop_limit:
            return 'hop_limit'
        try:
            check(event)
        except EventError as error:
            return f'malformed: {error}'
        return ''
