"""The ready agents together on a LocalBus, with a robot that moves in plain Python."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from loom import Event
from loom.act.body import Floats, Grid, Motion, Pose2D, Relief, Scan, Sight
from loom.act.broker import ActionBroker
from loom.agents import catalogue
from loom.agents.host import AgentHost
from loom.agents.library import lookout as lookout_module
from loom.agents.missions import fetch_report
from loom.core.clock import NANOSECONDS, ManualClock
from loom.core.errors import ConfigError, DeviceError
from loom.core.local_bus import LocalBus
from loom.reason.command_parser import CommandParser
from loom.reason.router import ModelRouter
from loom.reason.server import ModelServer
from loom.sense.pictures import Lens, Picture

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

    def __init__(self, say: fetch_report.Say) -> None:
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
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, 'the condition did not come true in time'
        time.sleep(0.002)


@contextmanager
def robot(monkeypatch: pytest.MonkeyPatch, say: fetch_report.Say = lambda text: None) -> Iterator[Robot]:
    class Reader:
        def __init__(self, clock: object) -> None:
            pass

        def read(self, pixels: object) -> list[object]:
            return []

        def free_if_idle(self) -> bool:
            return False

    monkeypatch.setattr(lookout_module, 'TextReader', Reader)
    made = Robot(say)
    made.host.start()
    for card in made.host.cards():
        made.broker.update(card.id, card.capabilities)
    yield made
    assert made.host.stop()
    made.server.close()
    made.router.close()


def ball(pixels: np.ndarray) -> None:
    """Draws a red ball."""
    rows, columns = np.mgrid[0:240, 0:320]
    pixels[(rows - 150) ** 2 + (columns - 160) ** 2 < 30 ** 2] = (200, 10, 10)


def test_a_sentence_drives_the_robot_to_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    with robot(monkeypatch) as r:
        r.hears('robot go to the kitchen')
        assert r.finished('go_to')['error_code'] == 0
        until(lambda: 'I am in the kitchen' in r.said)
    assert math.hypot(r.world.where.x - 4.0, r.world.where.y - 3.0) < 0.2
    assert r.said[0] == 'I am going to the kitchen'
    assert r.world.proposed[-1].linear == 0.0 and r.world.proposed[0].agent == 'navigator'
    assert max(abs(m.linear) for m in r.world.proposed) <= 0.6
    assert len(r.world.paths) == 1 and any(m.origin_ns > 0 for m in r.world.proposed)


def test_stop_is_heard_while_the_robot_drives(monkeypatch: pytest.MonkeyPatch) -> None:
    with robot(monkeypatch) as r:
        r.world.pace_s = 0.02
        r.hears('robot go to the kitchen')
        until(lambda: any(m.linear > 0 for m in r.world.proposed))
        r.hears('robot stop')
        assert r.finished('go_to')['error_code'] == 104
        assert r.finished('stop')['error_code'] == 0
        until(lambda: 'stopped' in r.said)
    assert r.world.speed == (0.0, 0.0)


def test_come_back_leads_to_where_it_first_moved_from(monkeypatch: pytest.MonkeyPatch) -> None:
    with robot(monkeypatch) as r:
        r.hears('robot go to the hallway')
        until(lambda: 'I am in the hallway' in r.said)
        r.hears('robot come back')
        until(lambda: 'I am back' in r.said)
    assert math.hypot(r.world.where.x - 1.0, r.world.where.y - 1.0) < 0.2


@pytest.mark.parametrize(('sentence', 'answer'), [
    ('where are you', 'I am near the hallway'), ('go to the moon', 'I could not do that: I know no place'),
    ('say good morning', 'good morning'), ('sing a song', 'I do not understand: sing a song'),
    ('turn left', 'done'), ('drive forward one meter', 'done'), ('what do you see', 'I see nothing that I know'),
    ('drive forward 99 meters', 'I could not do that: distance_m must be from')])
def test_what_it_answers(monkeypatch: pytest.MonkeyPatch, sentence: str, answer: str) -> None:
    with robot(monkeypatch) as r:
        r.world.where = Pose2D(1.0, 2.0, 0.0)
        r.emit('text.typed', {'text': sentence})
        until(lambda: any(said.startswith(answer) for said in r.said))


def test_look_around_turns_and_reports_what_it_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    with robot(monkeypatch) as r:
        ball(r.world.pixels)
        r.emit('text.typed', {'text': 'look around'})
        until(lambda: 'I see a red ball' in r.said)
    assert abs(math.remainder(r.world.where.yaw, 2 * math.pi)) < 0.3


def test_what_salience_saw_is_reported_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with robot(monkeypatch) as r:
        r.emit('camera.front.object', {'label': 'orange cube', 'colour': 'orange'})
        assert r.host.wait_idle()
        r.emit('text.typed', {'text': 'look'})
        until(lambda: 'I see an orange cube' in r.said)


def test_a_goal_from_rviz(monkeypatch: pytest.MonkeyPatch) -> None:
    with robot(monkeypatch) as r:
        r.emit('motion.goal', {'x': 3.0, 'y': 2.0, 'yaw': 1.0})
        until(lambda: r.world.paths and r.world.proposed and r.world.proposed[-1].intent.startswith('end of'))
        r.emit('motion.goal', {'x': 'far'})
        until(lambda: any(t == 'agent.error' for t, _ in r.seen))
    assert math.hypot(r.world.where.x - 3.0, r.world.where.y - 2.0) < 0.2


def test_a_blind_robot_says_why_it_does_not_drive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('loom.agents.library.navigator.BLIND_S', 0.05)
    with robot(monkeypatch) as r:
        r.world.blind = True
        r.emit('text.typed', {'text': 'go to the kitchen'})
        assert '9.00 s' in r.finished('go_to')['error_msg']


def test_an_emergency_stop_ends_the_drive_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    with robot(monkeypatch) as r:
        r.world.pace_s = 0.02
        r.emit('text.typed', {'text': 'go to the kitchen'})
        until(lambda: any(m.linear > 0 for m in r.world.proposed))
        r.world.halt = 'service safety/estop; a person resets it'
        assert 'the base may not move: service safety/estop' in r.finished('go_to')['error_msg']
    assert r.world.proposed[-1].linear == 0.0


def test_what_can_not_be_said_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with robot(monkeypatch) as r:
        r.emit('text.typed', {'text': 'say unspeakable'})
        assert r.finished('say')['error_msg'] == 'could not say it: no voice'


def test_malformed_sentences_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    with robot(monkeypatch) as r:
        for data in (None, 'stop', {'text': ''}, {'text': 'x' * 501}, {}):
            r.emit('text.typed', data)
        assert r.host.wait_idle()
    assert not r.seen and not r.said


def carry_out(monkeypatch: pytest.MonkeyPatch, deaf: int = 0, see_ball: bool = True, **changes: float) -> dict:
    made: list[Robot] = []
    attempts: list[str] = []

    def say(sentence: str) -> None:
        attempts.append(sentence)
        if len(attempts) > deaf:
            threading.Thread(target=made[0].hears, args=(sentence.replace(',', ''),)).start()
    for name, value in changes.items():
        monkeypatch.setattr(fetch_report, name, value)
    with robot(monkeypatch, say) as r:
        made.append(r)
        if see_ball:
            ball(r.world.pixels)
        r.bus.send('fetch_report', Event.create('mission.start', {'mission': 'fetch_report'}, source='test',
                                                stamp_ns=r.clock.now_ns()))
        until(lambda: any(t == 'mission.result' for t, _ in r.seen))
    return next(d for t, d in r.seen if t == 'mission.result')


def test_the_mission_succeeds(monkeypatch: pytest.MonkeyPatch) -> None:
    result = carry_out(monkeypatch)
    assert (result['success'], result['reason'], result['report']) == (True, '', 'I see a red ball')
    assert list(result['timings'])[-1] == 'total_s'


def test_the_mission_repeats_what_was_not_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    assert carry_out(monkeypatch, deaf=2, HEARD_S=0.1)['success']


@pytest.mark.parametrize(('changes', 'reason'), [
    ({'deaf': 9, 'HEARD_S': 0.05}, 'did not understand'),
    ({'see_ball': False}, "the report must mention a red ball, the robot said 'I see nothing that I know'"),
    ({'MISSION_S': 0.001}, 'the mission must end within 0.001 s'),
    ({'NEAR_M': 0.0}, 'after go_to the robot must be within 0 m of the kitchen'),
])
def test_the_mission_says_why_it_failed(monkeypatch: pytest.MonkeyPatch, changes: dict, reason: str) -> None:
    result = carry_out(monkeypatch, **changes)
    assert not result['success'] and reason in result['reason']


def test_without_a_virtual_room_the_mission_waits_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    def say(sentence: str) -> None:
        raise DeviceError('no virtual room is open')
    monkeypatch.setattr(fetch_report, 'PERSON_S', 0.05)
    with robot(monkeypatch, say) as r:
        r.emit('mission.start', {'mission': 'fetch_report'})
        until(lambda: any(t == 'mission.result' for t, _ in r.seen))
    assert 'nobody said' in r.seen[-1][1]['reason'] and 'no virtual room' in r.seen[-1][1]['reason']


def test_agents_are_found_by_name() -> None:
    assert catalogue.agent('navigator').name == 'navigator'
    assert catalogue.agent('loom.agents.library.speaker:speaker').name == 'speaker'
    for name, rule in (('navigater', "did you mean 'navigator'"), ('json:loads', 'must be a loom.Agent'),
                       ('no_such:thing', 'can not be loaded')):
        with pytest.raises(ConfigError, match=rule):
            catalogue.agent(name)
    with pytest.raises(ConfigError, match='no mission named'):
        catalogue.crew((), 'fetch_reprt', lambda text: None)


def test_the_summary_is_a_sentence() -> None:
    assert lookout_module.summary(['red ball'], ['KITCHEN']) == 'I see a red ball and a sign that says KITCHEN'
    assert lookout_module.summary(['red ball', 'orange cube', 'red ball'], ['A']) == (
        'I see a red ball, an orange cube and a sign that says A')
