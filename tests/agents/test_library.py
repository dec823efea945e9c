"""The ready agents together, in a robot that moves in plain Python."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from loom.act.body import Pose2D
from loom.agents import catalogue
from loom.agents.library import lookout
from loom.core.errors import ConfigError

Up = Callable[..., AbstractContextManager[Any]]
Until = Callable[..., None]


def test_a_sentence_drives_the_robot_to_a_place(robot: Up, until: Until) -> None:
    with robot() as r:
        r.hears('robot go to the kitchen')
        assert r.finished('go_to')['error_code'] == 0
        until(lambda: 'I am in the kitchen' in r.said)
    assert math.hypot(r.world.where.x - 4.0, r.world.where.y - 3.0) < 0.2
    assert r.said[0] == 'I am going to the kitchen'
    assert r.world.proposed[-1].linear == 0.0 and r.world.proposed[0].agent == 'navigator'
    assert max(abs(m.linear) for m in r.world.proposed) <= 0.6
    assert len(r.world.paths) == 1 and any(m.origin_ns > 0 for m in r.world.proposed)


def test_stop_is_heard_while_the_robot_drives(robot: Up, until: Until) -> None:
    with robot() as r:
        r.world.pace_s = 0.02
        r.hears('robot go to the kitchen')
        until(lambda: any(m.linear > 0 for m in r.world.proposed))
        r.hears('robot stop')
        assert r.finished('go_to')['error_code'] == 104
        assert r.finished('stop')['error_code'] == 0
        until(lambda: 'stopped' in r.said)
    assert r.world.speed == (0.0, 0.0)


def test_come_back_leads_to_where_it_first_moved_from(robot: Up, until: Until) -> None:
    with robot() as r:
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
def test_what_it_answers(robot: Up, until: Until, sentence: str, answer: str) -> None:
    with robot() as r:
        r.world.where = Pose2D(1.0, 2.0, 0.0)
        r.emit('text.typed', {'text': sentence})
        until(lambda: any(said.startswith(answer) for said in r.said))


def test_look_around_turns_and_reports_what_it_saw(robot: Up, until: Until) -> None:
    with robot() as r:
        r.draw_ball()
        r.emit('text.typed', {'text': 'look around'})
        until(lambda: 'I see a red ball' in r.said)
    assert abs(math.remainder(r.world.where.yaw, 2 * math.pi)) < 0.3


def test_what_salience_saw_is_reported_too(robot: Up, until: Until) -> None:
    with robot() as r:
        r.emit('camera.front.object', {'label': 'orange cube', 'colour': 'orange'})
        assert r.host.wait_idle()
        r.emit('text.typed', {'text': 'look'})
        until(lambda: 'I see an orange cube' in r.said)


def test_a_goal_from_rviz(robot: Up, until: Until) -> None:
    with robot() as r:
        r.emit('motion.goal', {'x': 3.0, 'y': 2.0, 'yaw': 1.0})
        until(lambda: r.world.paths and r.world.proposed and r.world.proposed[-1].intent.startswith('end of'))
        r.emit('motion.goal', {'x': 'far'})
        until(lambda: any(t == 'agent.error' for t, _ in r.seen))
    assert math.hypot(r.world.where.x - 3.0, r.world.where.y - 2.0) < 0.2


def test_a_blind_robot_says_why_it_does_not_drive(robot: Up, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('loom.agents.library.navigator.BLIND_S', 0.05)
    with robot() as r:
        r.world.blind = True
        r.emit('text.typed', {'text': 'go to the kitchen'})
        assert '9.00 s' in r.finished('go_to')['error_msg']


def test_an_emergency_stop_ends_the_drive_with_its_reason(robot: Up, until: Until) -> None:
    with robot() as r:
        r.world.pace_s = 0.02
        r.emit('text.typed', {'text': 'go to the kitchen'})
        until(lambda: any(m.linear > 0 for m in r.world.proposed))
        r.world.halt = 'service safety/estop; a person resets it'
        assert 'the base may not move: service safety/estop' in r.finished('go_to')['error_msg']
    assert r.world.proposed[-1].linear == 0.0


def test_what_can_not_be_said_is_an_error(robot: Up, until: Until) -> None:
    with robot() as r:
        r.emit('text.typed', {'text': 'say unspeakable'})
        until(lambda: any(d.get('error_msg') == 'could not say it: no voice' for _, d in r.seen))


def test_malformed_sentences_are_ignored(robot: Up, until: Until) -> None:
    with robot() as r:
        for data in (None, 'stop', {'text': ''}, {'text': 'x' * 501}, {}):
            r.emit('text.typed', data)
        assert r.host.wait_idle()
    assert not r.seen and not r.said


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
    assert lookout.summary(['red ball'], ['KITCHEN']) == 'I see a red ball and a sign that says KITCHEN'
    assert lookout.summary(['red ball', 'orange cube', 'red ball'], ['A']) == (
        'I see a red ball, an orange cube and a sign that says A')
