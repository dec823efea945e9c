"""All rules of salience together: plain readings in, findings worth an event out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from loom.sense.depth import Corridor, Mount
from loom.sense.detect import detect
from loom.sense.pictures import Depths, Lens, Picture
from loom.sense.salience import Attention, BatteryWatch, BumpWatch, NearWatch, ObjectWatch

SURE = 0.5


@dataclass(frozen=True)
class Finding:
    """What an event is made of; `topic` holds the raw data of the same stamp, if any."""

    type: str
    data: dict[str, Any]
    stamp_ns: int
    topic: str = ''
    priority: int = 100
    confidence: float = 1.0


@dataclass(frozen=True)
class Limits:
    """When something is worth an event; SI units."""

    attention: Attention = field(default_factory=Attention)
    mount: Mount = field(default_factory=lambda: Mount(0.145))
    bump_m_s2: float = 6.0
    battery_low: float = 0.2
    near_m: float = 0.4


class Watch:
    """Remembers a bounded little of each sense; one thread."""

    def __init__(self, limits: Limits) -> None:
        self.counts: Counter[str] = Counter()
        self._limits = limits
        self._objects, self._near = ObjectWatch(limits.attention), NearWatch(limits.near_m, 1.5 * limits.near_m)
        self._bumps, self._battery = BumpWatch(limits.bump_m_s2), BatteryWatch(limits.battery_low)
        self._contact = False
        self._depth: tuple[int, Depths] | None = None
        self._corridor: tuple[Lens, Corridor] | None = None

    def picture(self, picture: Picture, lens: Lens, topic: str) -> list[Finding]:
        """A colour picture; the depth of the same moment gives distances."""
        depth = None
        if self._depth is not None and self._depth[0] == picture.stamp_ns:
            depth = self._depth[1] if self._depth[1].shape == picture.pixels.shape[:2] else None
        found = [seen for seen in detect(picture.pixels, lens, depth) if seen.confidence >= SURE]
        return self._told([Finding('camera.front.object', seen.data(), picture.stamp_ns, topic,
                                   confidence=seen.confidence)
                           for seen in self._objects.feed(found, picture.stamp_ns)])

    def depth(self, depth: Depths, lens: Lens, stamp_ns: int, topic: str) -> list[Finding]:
        """A depth picture (H, W) in metres."""
        self._depth = (stamp_ns, depth)
        if self._corridor is None or self._corridor[0] != lens:
            self._corridor = (lens, Corridor(lens, self._limits.mount))
        nearest = self._corridor[1].nearest(depth)
        if not self._near.feed(nearest.ahead_m if nearest else float('inf')) or nearest is None:
            return []
        data = {'ahead_m': round(nearest.ahead_m, 3), 'left_m': round(nearest.left_m, 3)}
        return self._told([Finding('camera.front.obstacle', data, stamp_ns, topic)])

    def acceleration(self, x: float, y: float, stamp_ns: int) -> list[Finding]:
        """Horizontal acceleration in m/s^2."""
        strength = self._bumps.feed(x, y, stamp_ns)
        if strength is None:
            return []
        return self._told([Finding('motion.bump', {'strength_m_s2': round(strength, 2), 'by': 'imu'}, stamp_ns,
                                   priority=200)])

    def contact(self, pressed: bool, stamp_ns: int) -> list[Finding]:
        """The bumper; worth telling when it is pressed, not while."""
        before, self._contact = self._contact, pressed
        if before or not pressed:
            return []
        return self._told([Finding('motion.bump', {'by': 'bumper'}, stamp_ns, priority=200)])

    def charge(self, charge: float, stamp_ns: int) -> list[Finding]:
        """The battery's charge 0..1, NaN where unknown."""
        if not self._battery.feed(charge, stamp_ns):
            return []
        return self._told([Finding('power.low', {'charge': round(charge, 3)}, stamp_ns, priority=200)])

    def _told(self, findings: list[Finding]) -> list[Finding]:
        self.counts.update(finding.type for finding in findings)
        return findings
