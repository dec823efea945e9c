"""fetch_report: what it does, and what it says when something goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from loom import Event
from loom.agents.missions import fetch_report
from loom.core.errors import DeviceError

Up = Callable[..., AbstractContextManager[Any]]
Until = Callable[..., None]


def carry_out(robot: Up, until: Until, monkeypatch: pytest.MonkeyPatch, *, deaf: int = 0,
              see_ball: bool = True, **changes: float) -> dict[str, Any]:
    made: list[Any] = []
    attempts: list[str] = []

    def say(sentence: str) -> None:
        attempts.append(sentence)
        if len(attempts) > deaf:
            threading.Thread(target=made[0].hears, args=(sentence.replace(',', ''),)).start()
    for name, value in changes.items():
        monkeypatch.setattr(fetch_report, name, value)
    with robot(say) as r:
        made.append(r)
        if see_ball:
            r.draw_ball()
        r.bus.send('fetch_report', Event.create('mission.start', {'mission': 'fetch_report'}, source='test',
                                                stamp_ns=r.clock.now_ns()))
        until(lambda: any(t == 'mission.result' for t, _ in r.seen))
    return next(d for t, d in r.seen if t == 'mission.result')


def test_the_mission_succeeds(robot: Up, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    result = carry_out(robot, until, monkeypatch)
    assert (result['success'], result['reason'], result['report']) == (True, '', 'I see a red ball')
    assert list(result['timings'])[-1] == 'total_s'


def test_the_mission_repeats_what_was_not_understood(robot: Up, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    assert carry_out(robot, until, monkeypatch, deaf=2, HEARD_S=0.1)['success']


@pytest.mark.parametrize(('changes', 'reason'), [
    ({'deaf': 9, 'HEARD_S': 0.05}, 'did not understand'),
    ({'see_ball': False}, "the report must mention a red ball, the robot said 'I see nothing that I know'"),
    ({'MISSION_S': 0.001}, 'the mission must end within 0.001 s'),
    ({'NEAR_M': 0.0}, 'after go_to the robot must be within 0 m of the kitchen'),
])
def test_the_mission_says_why_it_failed(robot: Up, until: Until, monkeypatch: pytest.MonkeyPatch,
                                        changes: dict, reason: str) -> None:
    result = carry_out(robot, until, monkeypatch, **changes)
    assert not result['success'] and reason in result['reason']


def test_without_a_virtual_room_the_mission_waits_for_a_person(robot: Up, until: Until,
                                                               monkeypatch: pytest.MonkeyPatch) -> None:
    def say(sentence: str) -> None:
        raise DeviceError('no virtual room is open')
    monkeypatch.setattr(fetch_report, 'PERSON_S', 0.05)
    with robot(say) as r:
        r.emit('mission.start', {'mission': 'fetch_report'})
        until(lambda: any(t == 'mission.result' for t, _ in r.seen))
    assert 'nobody said' in r.seen[-1][1]['reason'] and 'no virtual room' in r.seen[-1][1]['reason']
