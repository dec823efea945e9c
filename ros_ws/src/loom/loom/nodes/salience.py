"""salience: raw streams become the few events that matter: objects seen, something close, bumps, a low battery."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from loom.core.config import NodeConfig
from loom.core.event import Event
from loom.core.trace import cause
from loom.ros.node import OK, LoomNode, Part
from loom.ros.process import run
from loom.ros.senses import Senses
from loom.sense.depth import Mount
from loom.sense.salience import Attention
from loom.sense.watch import Finding, Limits, Watch


class SalienceConfig(NodeConfig):
    """Settings of salience."""

    picture_rate_hz: float = Field(4.0, gt=0, le=5, description='Pictures looked at in a second.')
    repeat_s: float = Field(10.0, ge=1, le=600, description='Between two events about one object that stays.')
    views: int = Field(2, ge=1, le=20, description='Pictures in a row before an object is believed.')
    bump_m_s2: float = Field(6.0, gt=0, le=100, description='Jump of the horizontal acceleration that is a bump.')
    battery_low: float = Field(0.2, gt=0, lt=1, description='Charge, 0 to 1, below which it is low.')
    near_m: float = Field(0.4, gt=0, le=3, description='Something ahead is close below this distance.')
    camera_height_m: float = Field(0.145, gt=0, le=3, description='Of the camera above the floor.')
    camera_pitch_rad: float = Field(0.0, ge=-1.5, le=1.5, description='How far the camera looks down.')


class Salience(LoomNode):
    """Watches the senses with bounded memory."""

    Config = SalienceConfig
    config: SalienceConfig

    def configure(self) -> None:
        """Begins with empty memories."""
        config = self.config
        self._watch = Watch(Limits(
            Attention(views=config.views, repeat_s=config.repeat_s),
            Mount(config.camera_height_m, config.camera_pitch_rad),
            config.bump_m_s2, config.battery_low, config.near_m))
        self._senses = Senses(self, self._watch, config.picture_rate_hz, self._tell)

    def diagnose(self) -> Iterable[Part]:
        """What was looked at, and what it was worth."""
        counts = {**self._senses.counts, **self._watch.counts}
        yield Part('events', OK, '', {name: str(count) for name, count in counts.items()})

    def _tell(self, finding: Finding) -> None:
        seen: Event | None = cause()
        make = seen.child if seen else Event.create
        self.bus.publish(make(
            finding.type, finding.data, source='salience', sender='salience', stamp_ns=finding.stamp_ns,
            priority=finding.priority, confidence=finding.confidence, reference_topic=finding.topic,
            reference_stamp_ns=finding.stamp_ns if finding.topic else 0))


def main() -> None:
    """Runs the node."""
    run(Salience)


if __name__ == '__main__':
    main()
