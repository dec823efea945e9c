"""The memory server on a LocalBus: requests, sightings, and agents that come back to what they remembered."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from loom import Agent, Context, Event
from loom.agents.host import AgentHost
from loom.agents.library.lookout import lookout
from loom.core.clock import NANOSECONDS, ManualClock
from loom.core.errors import AgentError, StateError
from loom.core.local_bus import LocalBus
from loom.memory.memory import Memory
from loom.memory.server import ADDRESS, MAX_WAITING, MemoryServer
from loom.memory.sighting import place_of, remember_sighting
from loom.memory.sqlite_store import SqliteStore

Until = Callable[..., None]
PLACES = {'kitchen': (4.0, 3.0, 0.0), 'hallway': (0.0, 0.0, 0.0)}


class Desk:
    """A server with its bus, and one who asks it."""

    def __init__(self, until: Until) -> None:
        self.clock = ManualClock(1000 * NANOSECONDS)
        self.bus = LocalBus(self.clock)
        self.store = SqliteStore()
        self.memory = Memory(self.store, self.clock)
        self.server = MemoryServer(self.bus, self.clock, self.memory, lambda: PLACES)
        self.answers: list[Event] = []
        self._until = until
        self.bus.receive('ann', self.answers.append)

    def event(self, type: str, data: Any, **fields: Any) -> Event:
        return Event.create(type, data, source='ann', sender='ann', stamp_ns=self.clock.now_ns(), **fields)

    def ask(self, verb: str, data: Any) -> dict[str, Any]:
        question = self.event(f'memory.{verb}', data, reply_to='ann')
        self.bus.send(ADDRESS, question)
        self._until(lambda: any(a.correlation_id == question.id for a in self.answers))
        return told(next(a for a in self.answers if a.correlation_id == question.id))


def told(answer: Event) -> dict[str, Any]:
    error = answer.metadata
    return {'result': answer.data, 'error_code': int(error.get('code', 0)), 'error_msg': error.get('error', '')}


@pytest.fixture
def desk(until: Until) -> Iterator[Desk]:
    made = Desk(until)
    yield made
    made.server.close()
    made.memory.close()


def test_what_was_seen_near_the_kitchen_in_the_last_ten_minutes(desk: Desk) -> None:
    def see(label: str, pose: tuple[float, float, float]) -> None:
        event = desk.event('camera.front.object', {'label': label, 'distance_m': 1.0, 'bearing_rad': 0.0})
        desk.server.submit(lambda: remember_sighting(desk.memory.episodes, event, pose))
    see('old ball', (3.0, 3.0, 0.0))
    desk.clock.advance(700)
    see('red ball', (3.0, 3.0, 0.0))
    see('green cone', (-1.0, 0.0, 0.0))
    answer = desk.ask('retrieve', {'episodes': {'near': 'kitchen', 'last_s': 600}})
    (seen,) = answer['result']
    assert (seen['text'], seen['x'], seen['y'], seen['data']['camera']) == ('red ball', 4.0, 3.0, 'front')
    assert [e['text'] for e in desk.ask('retrieve', {'episodes': {'near': 'hallway'}})['result']] == ['green cone']
    refused = desk.ask('retrieve', {'episodes': {'near': 'kichen'}})
    assert (refused['error_code'], refused['error_msg']) == (405, "no place named 'kichen'; did you mean 'kitchen'?")


def test_where_a_thing_is() -> None:
    assert place_of({'distance_m': 2.0, 'bearing_rad': math.pi / 2}, (1.0, 1.0, 0.0)) == pytest.approx((1.0, 3.0))
    assert place_of({'distance_m': None, 'bearing_rad': 0.1}, (1.0, 2.0, 0.0)) == (1.0, 2.0)
    assert place_of({'distance_m': 1.0, 'bearing_rad': 0.0}, None) is None


def test_what_everybody_is_told_is_kept_too(desk: Desk, until: Until) -> None:
    desk.bus.publish(desk.event('memory.update', {'episode': {'kind': 'sound', 'text': 'a bell'}}))
    until(lambda: desk.memory.episodes.counts()['working'] == 1)
    assert desk.ask('update', {'episode': {'kind': 'sound', 'text': 'a bell'}})['error_code'] == 0
    (bell,) = desk.ask('retrieve', {'episodes': {'kind': 'sound'}})['result']
    assert bell['count'] == 2


def test_notes_by_meaning(desk: Desk) -> None:
    pytest.importorskip('tokenizers')
    for text in ('the charger hums at night', 'Ann likes her tea without sugar'):
        assert desk.ask('update', {'note': {'text': text, 'metadata': {'by': 'bob'}}})['error_code'] == 0
    found = desk.ask('retrieve', {'notes': {'text': 'what does Ann drink?', 'where': {'by': 'bob'}, 'limit': 1}})
    assert [note['text'] for note in found['result']] == ['Ann likes her tea without sugar']


@pytest.mark.parametrize(('verb', 'data', 'text'), [
    ('update', None, 'a request must be one of state, note, episode, got None'),
    ('update', {'episodes': {}}, 'must be one of'),
    ('retrieve', {'episodes': {}, 'notes': {}}, 'must be one of'),
    ('update', {'state': {'key': 'a'}}, 'state.value: Field required'),
    ('update', {'episode': {'kind': 'x', 'text': 'y', 'importance': 2}}, 'episode.importance'),
    ('retrieve', {'episodes': {'limit': 0}}, 'episodes.limit'),
    ('retrieve', {'episodes': {'nearby': 'kitchen'}}, 'episodes.nearby: Extra inputs'),
])
def test_bad_requests_are_answered_with_the_rule(desk: Desk, verb: str, data: Any, text: str) -> None:
    answer = desk.ask(verb, data)
    assert answer['error_code'] == 406 and text in answer['error_msg'], answer


def test_too_many_requests_wait_at_their_sources(desk: Desk, until: Until) -> None:
    gate = threading.Event()
    desk.server.submit(lambda: gate.wait(10.0))
    questions = [desk.event('memory.update', {'state': {'key': 'n', 'value': number}}, reply_to='ann')
                 for number in range(3 * MAX_WAITING)]
    for question in questions:
        desk.bus.send(ADDRESS, question)
    assert desk.server._waiting == MAX_WAITING
    with pytest.raises(StateError, match='may wait; try later') as refused:
        desk.server.retrieve({'state': {}})
    assert refused.value.code == 407
    desk.server.submit(lambda: None)
    assert desk.server.counts['dropped'] == 1
    gate.set()
    until(lambda: len(desk.answers) == len(questions))
    assert [answer.correlation_id for answer in desk.answers] == [question.id for question in questions]
    assert not any(told(answer)['error_code'] for answer in desk.answers)
    assert desk.server.retrieve({'state': {'agent': 'ann', 'key': 'n'}}).result(5.0) == len(questions) - 1


def test_an_agent_comes_back_to_what_it_remembered(desk: Desk, until: Until) -> None:
    def born() -> tuple[Agent, list[Any]]:
        agent, heard = Agent('walker'), []

        @agent.on('walk.lap')
        async def lap(ctx: Context, event: Event) -> None:
            heard.append((ctx.recall('laps', 0), ctx.recall('thing')))
            await ctx.remember('laps', ctx.recall('laps', 0) + 1)
            await ctx.remember('thing', object() if event.data else [1])
        return agent, heard
    for life in range(3):
        agent, heard = born()
        with AgentHost(desk.bus, desk.clock, agent, memory=ADDRESS) as host:
            for number in range(2):
                desk.bus.publish(desk.event('walk.lap', number))
            until(lambda heard=heard: len(heard) == 2)
            assert host.wait_idle()
        assert heard == [(2 * life, None), (2 * life + 1, [1])]
    # What can't be kept is not brought back in an older form.
    assert desk.memory.state.all('walker') == {'laps': 6, 'thing': None}


def test_handlers_wait_until_memories_are_back_and_go_on_without_a_server(
        until: Until, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('loom.agents.recollection.LOAD_S', 0.2)
    clock = ManualClock(NANOSECONDS)
    bus, agent, heard = LocalBus(clock), Agent('walker'), []

    @agent.on('walk.lap')
    async def lap(ctx: Context, event: Event) -> None:
        await ctx.remember('n', ctx.recall('n', 0) + 1)
        heard.append(ctx.recall('n'))
    with AgentHost(bus, clock, agent, memory=ADDRESS):
        for _ in range(2):
            bus.publish(Event.create('walk.lap', source='test', stamp_ns=clock.now_ns()))
        until(lambda: heard == [1, 2])
    assert 'is lost when this process ends' in caplog.text


def test_what_a_newer_version_kept_is_not_overwritten(desk: Desk, until: Until,
                                                      caplog: pytest.LogCaptureFixture) -> None:
    desk.memory.state.put('walker', 'n', 'new form', version=2)
    agent, heard = Agent('walker'), []

    @agent.on('walk.lap')
    async def lap(ctx: Context, event: Event) -> None:
        heard.append(ctx.recall('n'))
        await ctx.remember('n', 1)
    with AgentHost(desk.bus, desk.clock, agent, memory=ADDRESS) as host:
        desk.bus.publish(desk.event('walk.lap', None))
        until(lambda: heard == [None])
        assert host.wait_idle()
    assert 'a newer Loom wrote it' in caplog.text
    assert desk.memory.state.get('walker', 'n', version=2) == 'new form'


def test_an_agent_asks_what_was_seen(desk: Desk, until: Until) -> None:
    agent, heard = Agent('guide'), []

    @agent.on('guide.asked')
    async def asked(ctx: Context, event: Event) -> None:
        for place in ('kitchen', 'cellar'):
            try:
                seen = await ctx.request(ADDRESS, 'memory.retrieve', {'episodes': {'near': place, 'last_s': 600}})
                heard.append([episode['text'] for episode in seen])
            except AgentError as error:
                heard.append(error.code)
    desk.memory.episodes.record('object', 'red ball', desk.clock.now_ns(), (4.0, 3.0))
    with AgentHost(desk.bus, desk.clock, agent):
        desk.bus.publish(desk.event('guide.asked', None))
        until(lambda: len(heard) == 2)
    assert heard == [['red ball'], 405]


def test_the_robot_says_what_it_saw_near_the_kitchen(desk: Desk, until: Until) -> None:
    for label, place in (('red ball', (4.0, 3.0)), ('blue box', (4.5, 3.0)), ('green cone', (0.0, 0.0))):
        desk.memory.episodes.record('object', label, desk.clock.now_ns(), place, data={'label': label})
        desk.clock.advance(1)
    with AgentHost(desk.bus, desk.clock, lookout):
        for arguments in ({'place': 'kitchen'}, {'place': 'attic'}):
            call = desk.event('capability.call', {'name': 'seen', 'arguments': arguments, 'timeout_s': 5.0,
                                                  'call_id': ''}, reply_to='ann')
            desk.bus.send('lookout', call)
        until(lambda: [a.type for a in desk.answers].count('capability.result') == 2)
        ended = [a.data for a in desk.answers if a.type == 'capability.result']
    said, refused = sorted(ended, key=lambda outcome: outcome['error_code'])
    assert said['result']['summary'] == 'I saw a blue box and a red ball'
    assert "no place named 'attic'" in refused['error_msg']
