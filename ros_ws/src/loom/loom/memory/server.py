"""MemoryServer: answers the mailbox `memory_server`, and keeps what is told to everybody as `memory.update`."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from loom.core.bus import Bus, Subscription
from loom.core.clock import NANOSECONDS, Clock
from loom.core.delivery import BATCHED
from loom.core.errors import LoomError, StateError, nearest
from loom.core.event import Event
from loom.core.trace import handling
from loom.memory.episode import Query
from loom.memory.memory import Memory
from loom.memory.requests import (
    QUERIES,
    UPDATES,
    EpisodeQuery,
    NewEpisode,
    NewNote,
    NewState,
    NoteQuery,
    Request,
    StateQuery,
    read,
)
from loom.memory.store import BUSY, UNKNOWN

ADDRESS = 'memory_server'
KINDS: Mapping[str, Mapping[str, type[Request]]] = {'memory.update': UPDATES, 'memory.retrieve': QUERIES}
MAX_WAITING = 256
MAX_ERROR = 500
Places = Mapping[str, tuple[float, float, float]]


class MemoryServer:
    """One thread does all the work, in the order in which it came: the bus never waits for the disk.

    `places` gives the names that a query may use: (x, y, yaw) in the map.
    """

    def __init__(self, bus: Bus, clock: Clock, memory: Memory, places: Callable[[], Places] = dict) -> None:
        self.counts: Counter[str] = Counter()
        self.last_failure = ''
        self._bus, self._clock, self._memory, self._places = bus, clock, memory, places
        self._work: Mapping[type[Request], Callable[[Any, Event], Any]] = {
            NewState: self._keep_state, NewNote: self._keep_note, NewEpisode: self._keep_episode,
            StateQuery: self._state, NoteQuery: self._notes, EpisodeQuery: self._episodes}
        self._pool = ThreadPoolExecutor(1, 'loom-memory')
        self._mutex = threading.Lock()
        self._waiting, self._paused = 0, False
        self._open: list[Subscription] = []
        self._open += [bus.receive(ADDRESS, self._receive),
                      *(bus.subscribe(kind, self._receive, BATCHED) for kind in KINDS)]

    def close(self) -> None:
        """Takes no more requests, and ends the one at work; those that wait stay unanswered."""
        for subscription in self._open:
            subscription.close()
        self._pool.shutdown(cancel_futures=True)

    def submit(self, work: Callable[[], Any]) -> None:
        """Does something else on the same thread; what goes wrong, or finds too much waiting already, is counted."""
        def guarded() -> None:
            try:
                work()
            except Exception as error:
                self._failed(error)
        if self._waiting < MAX_WAITING:
            self._enqueue(guarded)
        else:
            self.counts['dropped'] += 1

    def retrieve(self, wanted: Mapping[str, Any]) -> Future[Any]:
        """What an event `memory.retrieve` with this data would be answered; StateError as it would be refused."""
        query, nobody = read(QUERIES, wanted), Event.create('memory.retrieve', source=ADDRESS, stamp_ns=0)
        if self._waiting >= MAX_WAITING:
            raise StateError(f'at most {MAX_WAITING} requests may wait; try later', BUSY)
        return self._enqueue(self._work[type(query)], query, nobody)

    def _receive(self, event: Event) -> None:
        if event.type in KINDS:
            self._enqueue(self._answer, event)

    def _enqueue(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Has it done by the thread; while too much waits for that, more requests wait at their sources."""
        with self._mutex:
            self._waiting += 1
            if self._waiting >= MAX_WAITING:
                self._paused = True
                for subscription in self._open:
                    subscription.pause()
        future = self._pool.submit(work, *arguments)
        future.add_done_callback(self._dequeue)
        return future

    def _dequeue(self, done: Future[Any]) -> None:
        with self._mutex:
            self._waiting -= 1
            resumed = self._paused and self._waiting <= MAX_WAITING // 2
            self._paused = self._paused and not resumed
        if resumed:
            # Not while the lock is held: a bus may deliver what waited at once.
            for subscription in self._open:
                subscription.resume()

    def _answer(self, event: Event) -> None:
        with handling(f'loom.{ADDRESS}.{event.type.partition(".")[2]}', event.traceparent, event.tracestate,
                      cause=event):
            try:
                request = read(KINDS[event.type], event.data)
                self._reply(event, self._work[type(request)](request, event))
                self.counts[event.type] += 1
            except Exception as error:
                self._failed(error)
                self._refuse(event, error)

    def _keep_state(self, request: NewState, event: Event) -> None:
        self._memory.state.put(_owner(event), request.key, request.value, request.version, event.id)

    def _keep_note(self, request: NewNote, event: Event) -> str:
        return self._memory.note(request.text, request.metadata, event.id)

    def _keep_episode(self, request: NewEpisode, event: Event) -> str:
        place = None if request.x is None or request.y is None else (request.x, request.y)
        return self._memory.episodes.record(request.kind, request.text, request.stamp_ns or event.stamp_ns, place,
                                            request.importance, request.data, event.id).id

    def _state(self, query: StateQuery, event: Event) -> Any:
        agent = query.agent or _owner(event)
        if query.key:
            return self._memory.state.get(agent, query.key, version=query.version)
        return self._memory.state.all(agent, query.version)

    def _notes(self, query: NoteQuery, event: Event) -> list[dict[str, Any]]:
        return [asdict(note) for note in self._memory.search(query.text, query.limit, query.where)]

    def _episodes(self, query: EpisodeQuery, event: Event) -> list[dict[str, Any]]:
        x, y, since_ns = query.x, query.y, query.since_ns
        if query.near:
            places = self._places()
            if query.near not in places:
                raise StateError(f'no place named {query.near!r}{nearest(query.near, list(places))}', UNKNOWN)
            x, y, _ = places[query.near]
        if query.last_s is not None:
            since_ns = self._clock.now_ns() - round(query.last_s * NANOSECONDS)
        found = self._memory.episodes.find(Query(x, y, query.radius_m, since_ns, query.until_ns, query.kind,
                                                 query.text, query.limit))
        return [episode.as_dict() for episode in found]

    def _failed(self, error: Exception) -> None:
        self.counts['failed'] += 1
        self.last_failure = _text(error)

    def _refuse(self, event: Event, error: Exception) -> None:
        # As agents do it: a reply without a value says in its metadata why.
        code = error.code if isinstance(error, LoomError) else 0
        self._reply(event, None, {'error': _text(error)[:MAX_ERROR], 'code': str(code or UNKNOWN)})

    def _reply(self, event: Event, value: Any, metadata: dict[str, str] | None = None) -> None:
        if event.reply_to:
            self._bus.send(event.reply_to, event.answer(value, source=ADDRESS, stamp_ns=self._clock.now_ns(),
                                                        sender=ADDRESS, metadata=metadata or {}))


def _owner(event: Event) -> str:
    return event.sender or event.source


def _text(error: Exception) -> str:
    return str(error) if isinstance(error, LoomError) else repr(error)
