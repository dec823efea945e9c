"""A robot in plain Python: all ready agents on a LocalBus, in a body that moves as it is told."""

from __future__ import annotations

import asyncio
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loom import Event
from loom.act import broker as broking
from loom.act.body import Floats, Grid, Motion, Pose2D, Relief, Scan, Sight
from loom.act.broker import ActionBroker
from loom.agents import catalogue, exchange
from loom.agents.host import AgentHost
from loom.agents.library import lookout
from loom.core.clock import NANOSECONDS, ManualClock
from loom.core.errors import DeviceError
from loom.core.local_bus import LocalBus
from loom.reason.command_parser import CommandParser
from loom.reason.router import ModelRouter
from loom.reason.server import ModelServer
from loom.sense.pictures import Lens, Picture

sys.path.append(str(Path(__file__).resolve().parent))
from mortals import MortalTeam, worker

WAIT_S = 20.0
STEP_S = 0.05
PLACES = {'kitchen': (4.0, 3.0, 0.0), 'hallway': (2.0, 1.0, 0.0)}


class World:
    """A body in an empty room of 6 x 4 m whose time goes on by a step with each look."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.where = Pose2D(1.0, 1.0, 0.0)
        self.speed = (0.0, 0.0)
        self.proposed: list[Motion] = []
        self.paths: list[Floats] = []
        self.blind = False
        self.halt = ''
        self.pace_s = 0.0
        cells = np.zeros((80, 120), np.int8)
        cells[[0, -1], :] = cells[:, [0, -1]] = 100
        self._grid = Grid(cells, 0.05)
        self.pixels = np.full((240, 320, 3), 90, np.uint8)

    def pose(self) -> Pose2D:
        return self.where

    def scan(self) -> Scan:
        if self.blind:
            raise DeviceError('scan must be at most 0.5 s old, it is 9.00 s')
        return Scan(np.zeros((0, 2)), self.clock.now_ns())

    def relief(self) -> Relief:
        return Relief(np.zeros((0, 2)), self.clock.now_ns())

    def grid(self) -> Grid:
        return self._grid

    def places(self) -> dict[str, tuple[float, float, float]]:
        return dict(PLACES)

    def sight(self) -> Sight:
        return Sight(Picture(self.pixels, self.clock.now_ns()), Lens(234.0, 234.0, 159.5, 119.5))

    def propose(self, motion: Motion) -> None:
        self.proposed.append(motion)
        self.speed = (motion.linear, motion.angular)

    def halted(self) -> str:
        return self.halt

    def show_path(self, points: Floats) -> None:
        self.paths.append(points)

    async def look(self, timeout_s: float) -> None:
        (v, w), p = self.speed, self.where
        self.where = Pose2D(p.x + v * math.cos(p.yaw) * STEP_S, p.y + v * math.sin(p.yaw) * STEP_S, p.yaw + w * STEP_S)
        self.clock.advance(STEP_S)
        await asyncio.sleep(self.pace_s)


class Robot:
    """All ready agents with broker, router, a voice that plays at once, and a record of what was said."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self.clock = ManualClock(NANOSECONDS)
        self.bus = LocalBus(self.clock)
        self.world = World(self.clock)
        self.said: list[str] = []
        self.seen: list[tuple[str, dict]] = []
        self.broker = ActionBroker(self.bus, self.clock)
        self.broker.open()
        self.router = ModelRouter([CommandParser()])
        self.server = ModelServer(self.bus, self.clock, self.router)
        agents = catalogue.crew(('navigator', 'commander', 'lookout', 'speaker'), '', say)
        self.host = AgentHost(self.bus, self.clock, *agents, body=self.world)
        self.bus.subscribe('speaker.say', self._voice)
        for type in ('capability.finished', 'command.refused', 'command.understood', 'mission.result', 'agent.error'):
            self.bus.subscribe(type, lambda event: self.seen.append((event.type, event.data)))

    def draw_ball(self) -> None:
        """Puts a red ball before the camera."""
        rows, columns = np.mgrid[0:240, 0:320]
        self.world.pixels[(rows - 150) ** 2 + (columns - 160) ** 2 < 30 ** 2] = (200, 10, 10)

    def _voice(self, event: Event) -> None:
        text = event.data['text']
        self.said.append(text)
        type = 'speaker.failed' if text == 'unspeakable' else 'speaker.said'
        self.bus.publish(event.child(type, {'text': text, 'duration_s': 0.1, 'reason': 'no voice'}, source='speaker',
                                     stamp_ns=self.clock.now_ns(), correlation_id=event.id))

    def emit(self, type: str, data: object) -> None:
        self.bus.publish(Event.create(type, data, source='test', stamp_ns=self.clock.now_ns()))

    def hears(self, text: str) -> None:
        self.emit('microphone.speech', {'text': text, 'confidence': 0.9})

    def finished(self, name: str) -> dict:
        """The outcome of the newest call of this name, waited for."""
        outcomes: list[dict] = []

        def there() -> bool:
            outcomes[:] = [d for t, d in self.seen if t == 'capability.finished' and d['name'] == name]
            return bool(outcomes)
        until(there)
        return outcomes[-1]


def until(condition: Callable[[], object]) -> None:
    """Waits for a condition, with a deadline."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, 'the condition did not come true in time'
        time.sleep(0.002)


@pytest.fixture
def robot(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AbstractContextManager[Robot]]:
    """Brings a robot up in `with`; `say` is how a person speaks to it."""
    class Reader:
        def __init__(self, clock: object) -> None:
            pass

        def read(self, pixels: object) -> list[object]:
            return []

        def free_if_idle(self) -> bool:
            return False

    monkeypatch.setattr(lookout, 'TextReader', Reader)

    @contextmanager
    def up(say: Callable[[str], object] = lambda text: None) -> Iterator[Robot]:
        made = Robot(say)
        made.host.start()
        for card in made.host.cards():
            made.broker.update(card.id, card.capabilities)
        yield made
        assert made.host.stop()
        made.server.close()
        made.router.close()
    return up


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Agents and a broker that can be killed; what they send again, they send at once."""
    monkeypatch.setattr(exchange, 'UNTAKEN_S', 0.1)
    monkeypatch.setattr(exchange, 'AGAIN_S', 0.1)
    monkeypatch.setattr(broking, 'AGAIN_S', 0.1)
    monkeypatch.setattr(broking, 'SETTLE_S', 0.5)
    made = MortalTeam(tmp_path, worker)
    yield made
    made.close()
