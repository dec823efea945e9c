"""synthetic: events made at a steady rate, or as many as their readers can take, to see how much the rest carries."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from loom.core.config import NodeConfig
from loom.core.delivery import BATCHED
from loom.core.event import Event
from loom.core.pacing import Throttle
from loom.core.patterns import check_type
from loom.ros.node import OK, LoomNode, Part
from loom.ros.process import run

TICK_HZ = 100.0


class SyntheticConfig(NodeConfig):
    """Settings of the synthetic source."""

    rate_hz: float = Field(10.0, gt=0, le=20000, description='Events a second.')
    size_bytes: int = Field(64, ge=0, le=1000000, description='Filling of each event.')
    type: str = Field('synthetic.event', min_length=1, description='Type of the events.')


class Synthetic(LoomNode):
    """Publishes numbered events; fewer while a reader is slow."""

    Config = SyntheticConfig
    config: SyntheticConfig

    def configure(self) -> None:
        """Checks the type."""
        check_type(self.config.type)
        self._filling = 'x' * self.config.size_bytes
        self._throttle = Throttle()
        self._count = 0
        self._due = 0.0
        tick_hz = min(TICK_HZ, self.config.rate_hz)
        self._each_tick = self.config.rate_hz / tick_hz
        self.every(1.0 / tick_hz, self._tick, steady=True)

    def diagnose(self) -> Iterable[Part]:
        """How many so far."""
        yield Part('events', OK, f'{self.config.rate_hz} Hz of {self.config.type}', {
            'count': str(self._count), 'held_back': str(self._throttle.held_back)})

    def _tick(self) -> None:
        self._due += self._each_tick
        while self._due >= 1.0:
            self._due -= 1.0
            if not self._throttle.admits(self.bus.room(self.config.type)):
                continue
            self._count += 1
            self.bus.publish(Event.create(
                self.config.type, {'number': self._count, 'filling': self._filling}, source='synthetic',
                sender='synthetic', stamp_ns=self.clock_source.now_ns()), BATCHED)


def main() -> None:
    """Runs the node."""
    run(Synthetic)


if __name__ == '__main__':
    main()
