"""Episodes in three tiers: what goes on now, what happened, and what is usual; bounded, the least worth goes first.

Atkinson and Shiffrin's stores (1968) with the consolidation of repeated episodes into facts.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from loom.core.clock import NANOSECONDS, Clock
from loom.core.errors import EventError, StateError
from loom.core.event import encode
from loom.memory.episode import Episode, Query, Tier
from loom.memory.once import Once, is_mark
from loom.memory.store import MALFORMED, Store

SPACE = 'episodes'


@dataclass(frozen=True)
class Limits:
    """When an episode moves on, and how many of a tier are kept."""

    near_m: float = 1.0
    open_s: float = 60.0
    consolidate_s: float = 3600.0
    repeats: int = 3
    working: int = 100
    episodic: int = 5000
    long_term: int = 1000


class Episodes:
    """Keeps episodes; usable from any thread."""

    def __init__(self, store: Store, clock: Clock, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._clock = clock
        self._mutex = threading.Lock()
        self._once = Once(store, SPACE)
        self._episodes = {key: Episode(**json.loads(record)) for key, record in store.scan(SPACE) if not is_mark(key)}
        self._number = max((int(key, 16) for key in self._episodes), default=0)

    def __len__(self) -> int:
        return len(self._episodes)

    def record(self, kind: str, text: str, stamp_ns: int, place: tuple[float, float] | None = None,
               importance: float = 0.5, data: dict[str, Any] | None = None, request: str = '') -> Episode:
        """Keeps what was noticed at `place` (x, y in metres in the map); it goes on the episode that it repeats.

        Returns when it is safe. StateError 406 for numbers out of range. A `request` of this id that was done before
        changes nothing, and gives the same episode.
        """
        if not 0.0 <= importance <= 1.0 or stamp_ns < 0 or place and not all(map(math.isfinite, place)):
            raise StateError(f'an episode must have an importance of 0..1, a stamp and a finite place, got '
                             f'{importance}, {stamp_ns}, {place}', MALFORMED)
        x, y = place or (None, None)
        with self._mutex:
            done = self._once.result(request)
            if done is not None:
                return self._episodes.get(done, Episode(done, kind, text, stamp_ns, stamp_ns, x, y))
            self._number += 1
            new = Episode(f'{self._number:016x}', kind, text, stamp_ns, stamp_ns, x, y, 1, importance, data=data or {})
            gone = round(self.limits.open_s * NANOSECONDS)
            going_on = max((e for e in self._of('working') if e.alike(new, self.limits.near_m)
                            and abs(stamp_ns - e.last_ns) <= gone), key=_age, default=None)
            if going_on is not None:
                new = _joined([going_on, new], going_on.id, 'working')
            self._keep([new], request=request)
            if len(self._of('working')) > 2 * self.limits.working:
                self._tidy(self._clock.now_ns())
        return new

    def find(self, query: Query) -> list[Episode]:
        """The episodes that a query selects, newest first."""
        with self._mutex:
            found = [episode for episode in self._episodes.values() if query.selects(episode)]
        return sorted(found, key=_age, reverse=True)[:query.limit]

    def forget(self, query: Query) -> int:
        """Forgets what a query selects, whatever its limit; how many that were."""
        with self._mutex:
            gone = [episode.id for episode in self._episodes.values() if query.selects(episode)]
            self._keep([], gone)
        return len(gone)

    def tidy(self) -> None:
        """Moves episodes on: what ended becomes episodic, old repetitions a long-term fact; the least worth goes."""
        with self._mutex:
            self._tidy(self._clock.now_ns())

    def counts(self) -> dict[str, int]:
        """How many episodes each tier has."""
        with self._mutex:
            return {tier: len(self._of(tier)) for tier in ('working', 'episodic', 'long_term')}

    def _tidy(self, now_ns: int) -> None:
        newest = sorted(self._of('working'), key=_age, reverse=True)
        gone = round(self.limits.open_s * NANOSECONDS)
        self._keep([replace(episode, tier='episodic') for place, episode in enumerate(newest)
                    if place >= self.limits.working or now_ns - episode.last_ns > gone])
        self._consolidate(now_ns)
        self._keep([], self._surplus(now_ns))

    def _consolidate(self, now_ns: int) -> None:
        old = [e for e in self._of('episodic') if now_ns - e.last_ns > self.limits.consolidate_s * NANOSECONDS]
        facts = self._of('long_term')
        for group in _groups(old, self.limits.near_m):
            known = [fact for fact in facts if fact.alike(group[0], self.limits.near_m)][:1]
            if known or len(group) >= self.limits.repeats:
                fact = _joined([*known, *group], (known or group)[0].id, 'long_term')
                self._keep([fact], [e.id for e in [*known, *group] if e.id != fact.id])
                facts = self._of('long_term')

    def _surplus(self, now_ns: int) -> list[str]:
        limits = self.limits
        gone: list[str] = []
        for tier, most in (('episodic', limits.episodic), ('long_term', limits.long_term)):
            members = sorted(self._of(tier), key=lambda e: (e.worth(now_ns), e.last_ns, e.id))
            gone += [episode.id for episode in members[:max(len(members) - most, 0)]]
        return gone

    def _of(self, tier: str) -> list[Episode]:
        return [episode for episode in self._episodes.values() if episode.tier == tier]

    def _keep(self, episodes: Iterable[Episode], gone: Iterable[str] = (), request: str = '') -> None:
        kept, lost = {e.id: e for e in episodes}, list(gone)
        if not kept and not lost:
            return
        try:
            records: dict[str, bytes | None] = {key: encode(e.as_dict()) for key, e in kept.items()}
        except EventError as error:
            raise StateError(f'the data of an episode must be plain JSON: {error}', MALFORMED) from None
        self._once.put({**records, **dict.fromkeys(lost)}, request, next(iter(kept), ''))
        self._episodes.update(kept)
        for key in lost:
            self._episodes.pop(key, None)


def _age(episode: Episode) -> tuple[int, str]:
    return episode.last_ns, episode.id


def _groups(episodes: list[Episode], near_m: float) -> list[list[Episode]]:
    """Episodes that tell of the same thing at the same place, oldest first; the first of a group is its middle."""
    groups: list[list[Episode]] = []
    by_subject: dict[tuple[str, str], list[list[Episode]]] = {}
    for episode in sorted(episodes, key=_age):
        same = by_subject.setdefault((episode.kind, episode.text), [])
        group = next((g for g in same if g[0].alike(episode, near_m)), None)
        if group is None:
            group = []
            same.append(group)
            groups.append(group)
        group.append(episode)
    return groups


def _joined(episodes: list[Episode], key: str, tier: Tier) -> Episode:
    """One episode for several; it is where the newest was, and as important as the most important."""
    newest = max(episodes, key=_age)
    return replace(newest, id=key, tier=tier, first_ns=min(e.first_ns for e in episodes),
                   count=sum(e.count for e in episodes), importance=max(e.importance for e in episodes))
