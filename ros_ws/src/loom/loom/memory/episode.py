"""Episode: one thing that was noticed, where and when; Query: which of them are wanted."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from loom.core.clock import NANOSECONDS

Tier = Literal['working', 'episodic', 'long_term']
HALF_LIFE_S = 24 * 3600.0


@dataclass(frozen=True)
class Episode:
    """What was noticed `count` times between `first_ns` and `last_ns`; x, y in metres in the map frame or None."""

    id: str
    kind: str
    text: str
    first_ns: int
    last_ns: int
    x: float | None = None
    y: float | None = None
    count: int = 1
    importance: float = 0.5
    tier: Tier = 'working'
    data: dict[str, Any] = field(default_factory=dict)

    def worth(self, now_ns: int) -> float:
        """How much it is worth keeping: importance and repetition, halved with each day that it was not seen."""
        age_s = max(now_ns - self.last_ns, 0) / NANOSECONDS
        return self.importance * (1.0 + math.log2(self.count)) * 0.5 ** (age_s / HALF_LIFE_S)

    def alike(self, other: Episode, near_m: float) -> bool:
        """Whether both tell of the same thing at the same place."""
        return (self.kind, self.text) == (other.kind, other.text) and (
            other.distance(self.x, self.y) <= near_m if None not in (self.x, self.y) else other.x is None)

    def distance(self, x: float | None, y: float | None) -> float:
        """Metres to a point of the map; infinite where either has no place."""
        if x is None or y is None or self.x is None or self.y is None:
            return math.inf
        return math.hypot(self.x - x, self.y - y)

    def as_dict(self) -> dict[str, Any]:
        """The episode as plain JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Query:
    """Episodes no further than `radius_m` from (x, y), noticed between `since_ns` and `until_ns`; None: anywhere, ever.

    `kind` and the words of `text` must be in them; the newest `limit` are found, long-term facts among them.
    """

    x: float | None = None
    y: float | None = None
    radius_m: float = 2.5
    since_ns: int | None = None
    until_ns: int | None = None
    kind: str = ''
    text: str = ''
    limit: int = 20

    def selects(self, episode: Episode) -> bool:
        """Whether an episode is one of those wanted."""
        words = set(self.text.lower().split())
        return ((self.since_ns is None or episode.last_ns >= self.since_ns)
                and (self.until_ns is None or episode.first_ns <= self.until_ns)
                and (not self.kind or episode.kind == self.kind)
                and words <= set(episode.text.lower().split())
                and (self.x is None or self.y is None or episode.distance(self.x, self.y) <= self.radius_m))
