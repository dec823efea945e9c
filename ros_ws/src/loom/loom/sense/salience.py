"""What is worth an event in the streams of the senses: rules with a bounded memory, so that events do not flood."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from loom.core.clock import NANOSECONDS
from loom.sense.detect import Seen

MAX_TRACKS = 32


@dataclass
class Track:
    """One object that is or was lately in view."""

    seen: Seen
    last_ns: int
    views: int = 1
    told: Seen | None = None
    told_ns: int = 0


@dataclass(frozen=True)
class Attention:
    """When an object is worth telling: views until believed, seconds until gone, seconds between two reports."""

    views: int = 2
    gone_s: float = 2.0
    repeat_s: float = 10.0
    moved_repeat_s: float = 1.0
    moved_rad: float = 0.35
    moved_m: float = 0.5


class ObjectWatch:
    """Tells an object when it comes into view, when it has moved, and else once in a while."""

    def __init__(self, attention: Attention | None = None) -> None:
        self.attention = attention or Attention()
        self._tracks: dict[str, Track] = {}

    def feed(self, found: Iterable[Seen], stamp_ns: int) -> list[Seen]:
        """Takes what one picture shows; returns what is worth an event."""
        self._forget(stamp_ns)
        return [seen for seen in _one_of_each_colour(found) if self._worth(seen, stamp_ns)]

    def _worth(self, seen: Seen, stamp_ns: int) -> bool:
        track = self._tracks.get(seen.colour)
        if track is None:
            if len(self._tracks) >= MAX_TRACKS:
                return False
            track = self._tracks[seen.colour] = Track(seen, stamp_ns)
        else:
            track.seen, track.last_ns, track.views = seen, stamp_ns, track.views + 1
        if track.views < self.attention.views or not self._due(track, stamp_ns):
            return False
        track.told, track.told_ns = seen, stamp_ns
        return True

    def _due(self, track: Track, stamp_ns: int) -> bool:
        if track.told is None:
            return True
        passed_s = (stamp_ns - track.told_ns) / NANOSECONDS
        wait_s = self.attention.moved_repeat_s if self._moved(track.told, track.seen) else self.attention.repeat_s
        return passed_s >= wait_s

    def _moved(self, before: Seen, now: Seen) -> bool:
        # The shape is unsure while the picture's edge cuts the object: the whole of it is news.
        known = before.shape == 'object' and now.shape != 'object'
        turned = abs(now.bearing_rad - before.bearing_rad) > self.attention.moved_rad
        nearer = before.distance_m is not None and now.distance_m is not None
        return known or turned or (nearer and abs((now.distance_m or 0) - (before.distance_m or 0))
                                   > self.attention.moved_m)

    def _forget(self, stamp_ns: int) -> None:
        oldest = stamp_ns - round(self.attention.gone_s * NANOSECONDS)
        # A stamp from the future is from before the clock was set back.
        self._tracks = {k: t for k, t in self._tracks.items() if oldest <= t.last_ns <= stamp_ns}


def _one_of_each_colour(found: Iterable[Seen]) -> list[Seen]:
    largest: dict[str, Seen] = {}
    for seen in found:
        if seen.colour not in largest or seen.area > largest[seen.colour].area:
            largest[seen.colour] = seen
    return list(largest.values())


class BumpWatch:
    """Tells a collision from the horizontal acceleration: a jump away from its running mean."""

    def __init__(self, threshold_m_s2: float = 6.0, quiet_s: float = 1.0) -> None:
        self._threshold, self._quiet_ns = threshold_m_s2, round(quiet_s * NANOSECONDS)
        self._mean: tuple[float, float] | None = None
        self._told_ns: int | None = None

    def feed(self, x: float, y: float, stamp_ns: int) -> float | None:
        """Takes m/s^2 in base_link; returns the strength of a bump that is worth an event."""
        if not (math.isfinite(x) and math.isfinite(y)):
            return None
        mean = self._mean or (x, y)
        # Wheels that slip in a turn shake the robot sideways as much as a light bump does.
        jump = math.hypot(x - mean[0], (y - mean[1]) / 3)
        self._mean = (mean[0] + 0.1 * (x - mean[0]), mean[1] + 0.1 * (y - mean[1]))
        quiet = self._told_ns is not None and 0 <= stamp_ns - self._told_ns < self._quiet_ns
        if jump < self._threshold or quiet:
            return None
        self._told_ns = stamp_ns
        return jump


class BatteryWatch:
    """Tells a low battery once, and again only after a recovery or a long while."""

    def __init__(self, low: float = 0.2, recovered: float = 0.25, repeat_s: float = 120.0) -> None:
        self._low, self._recovered, self._repeat_ns = low, recovered, round(repeat_s * NANOSECONDS)
        self._told_ns: int | None = None

    def feed(self, charge: float, stamp_ns: int) -> bool:
        """Takes the charge 0..1 (NaN: unknown); returns whether it is worth an event."""
        if math.isnan(charge):
            return False
        if charge >= self._recovered:
            self._told_ns = None
        quiet = self._told_ns is not None and 0 <= stamp_ns - self._told_ns < self._repeat_ns
        if charge > self._low or quiet:
            return False
        self._told_ns = stamp_ns
        return True


class NearWatch:
    """Tells when something comes close ahead: once, until it is clearly farther away again."""

    def __init__(self, near_m: float = 0.4, far_m: float = 0.6) -> None:
        self._near_m, self._far_m = near_m, far_m
        self._near = False

    def feed(self, ahead_m: float) -> bool:
        """Takes the metres to the nearest thing (inf: nothing); returns whether it is worth an event."""
        if ahead_m > self._far_m:
            self._near = False
        told, self._near = self._near, self._near or ahead_m < self._near_m
        return self._near and not told
