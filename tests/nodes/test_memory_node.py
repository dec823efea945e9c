"""memory_server on ROS: it remembers by itself what the camera saw and where, answers, and comes back after a kill."""

from __future__ import annotations

import json
import math
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

rclpy = pytest.importorskip('rclpy')
TESTS = Path(__file__).resolve().parents[1]
sys.path.append(str(TESTS))

from builtin_interfaces.msg import Time  # noqa: E402
from forked_node import Nursery  # noqa: E402
from loom_msgs.srv import SearchMemory  # noqa: E402
from rclpy.node import Node  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from std_msgs.msg import String  # noqa: E402
from tf2_msgs.msg import TFMessage  # noqa: E402

from loom import Agent, Context, Event  # noqa: E402
from loom.agents.host import AgentHost  # noqa: E402
from loom.core.clock import NANOSECONDS  # noqa: E402
from loom.core.delivery import STATE, TRANSFORM  # noqa: E402
from loom.core.errors import LoomError  # noqa: E402
from loom.memory.memory import FILE  # noqa: E402
from loom.memory.sqlite_store import SqliteStore  # noqa: E402
from loom.memory.state import State  # noqa: E402
from loom.nodes.memory_server import MemoryServer  # noqa: E402
from loom.ros.bus import RosBus  # noqa: E402
from loom.ros.clock import RosClock  # noqa: E402
from loom.ros.qos import publisher_profile  # noqa: E402
from loom.ros.range_scan import BASE  # noqa: E402
from loom.ros.service_call import call  # noqa: E402
from loom.ros.sim_convert import ODOM, transform  # noqa: E402
from loom.sim.pose import Pose  # noqa: E402

Until = Callable[..., None]


class Asker:
    """A guest that shows the robot's world to the memory and asks it."""

    def __init__(self, ros: Any, until: Until, name: str = 'guest') -> None:
        self.node: Node = ros.add(Node, name)
        self.name = name
        self.bus = RosBus(self.node)
        self.answers: dict[str, Any] = {}
        self._until = until
        self._tf = self.node.create_publisher(TFMessage, 'tf', publisher_profile(TRANSFORM))
        self._places = self.node.create_publisher(String, 'loom/places', publisher_profile(STATE))
        self.bus.receive(name, lambda event: self.answers.update({event.correlation_id: event}))

    def stands(self, x: float, y: float) -> None:
        """Says where the robot is now."""
        stamp = self.node.get_clock().now().to_msg()
        poses = (('map', ODOM, 0.0, 0.0), (ODOM, BASE, x, y))
        self._tf.publish(TFMessage(transforms=[
            transform(parent, child, Pose.from_rpy((px, py, 0.0), (0.0, 0.0, 0.0)), stamp)
            for parent, child, px, py in poses]))

    def knows(self, places: str) -> None:
        """Says which places there are."""
        self._places.publish(String(data=places))

    def tell(self, type: str, data: Any, **fields: Any) -> Event:
        """An event of now."""
        return Event.create(type, data, source=self.name, sender=self.name,
                            stamp_ns=self.node.get_clock().now().nanoseconds, **fields)

    def ask(self, verb: str, data: Any) -> Any:
        """What the memory server answers."""
        question = self.tell(f'memory.{verb}', data, reply_to=self.name)
        self.bus.send('memory_server', question)
        self._until(lambda: question.id in self.answers, 'the memory server does not answer')
        assert not self.answers[question.id].metadata
        return self.answers[question.id].data


def memory_node(ros: Any, store: Path) -> Any:
    node = ros.add(MemoryServer, parameter_overrides=[Parameter('store', value=str(store))])
    node.trigger_configure()
    node.trigger_activate()
    assert not node.stopped_because
    return node


def test_what_did_you_see_near_the_kitchen_in_the_last_ten_minutes(ros: Any, until: Until, tmp_path: Path) -> None:
    node, guest = memory_node(ros, tmp_path), Asker(ros, until)
    guest.knows('{"kitchen": [4.0, 3.0, 0.0], "hallway": [0.0, 0.0, 0.0]}')
    until(lambda: node._where.places, 'the places did not come')

    def standing() -> bool:
        guest.stands(3.0, 3.0)
        return bool(node._where.pose())
    until(standing, 'the pose did not come')
    guest.bus.publish(guest.tell('camera.front.object', {'label': 'red ball', 'distance_m': 1.0, 'bearing_rad': 0.0}))
    until(lambda: node._memory.episodes.counts()['working'], 'the sighting was not kept')
    (seen,) = guest.ask('retrieve', {'episodes': {'near': 'kitchen', 'last_s': 600}})
    assert (seen['text'], round(seen['x'], 3), seen['y']) == ('red ball', 4.0, 3.0)
    assert guest.ask('retrieve', {'episodes': {'near': 'hallway', 'last_s': 600}}) == []
    (part,) = node.diagnose()
    assert part.values['working'] == '1'


def test_a_folder_that_cannot_be_written_is_said_and_it_works_all_the_same(ros: Any, until: Until,
                                                                           tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    node, guest = memory_node(ros, tmp_path / 'file' / 'below'), Asker(ros, until)
    guest.ask('update', {'state': {'key': 'a', 'value': 1}})
    assert guest.ask('retrieve', {'state': {'key': 'a'}}) == 1
    (part,) = node.diagnose()
    assert 'is lost when this process ends' in part.message


@pytest.fixture
def nursery(ros: Any, tmp_path: Path) -> Iterator[Nursery]:
    nursery = Nursery('memory_server', ros.namespace, tmp_path / 'log', store=tmp_path / 'kept')
    yield nursery
    nursery.close()


def test_kill_9_of_the_server_loses_no_acknowledged_state(ros: Any, until: Until, nursery: Nursery) -> None:
    guest, acknowledged = Asker(ros, until), 0
    for _ in range(3):
        server = nursery.start()
        assert guest.ask('retrieve', {'state': {'key': 'n'}}) == (acknowledged or None)
        for _ in range(20):
            guest.ask('update', {'state': {'key': 'n', 'value': acknowledged + 1}})
            acknowledged += 1
        nursery.kill(server, until)


def test_a_server_that_starts_anew_does_nothing_twice(ros: Any, until: Until, nursery: Nursery) -> None:
    """Mailboxes are latched: the next one gets again what the last one has answered, older values among it."""
    server, guest = nursery.start(), Asker(ros, until)
    for number in range(30):
        guest.ask('update', {'state': {'key': 'n', 'value': number}})
        guest.ask('update', {'episode': {'kind': 'sound', 'text': 'a bell'}})
    nursery.kill(server, until)
    nursery.start()
    other = Asker(ros, until, 'other')
    values: list[Any] = []

    def settled() -> bool:
        values.append(other.ask('retrieve', {'state': {'key': 'n', 'agent': 'guest'}}))
        return len(values) >= 20
    until(settled)
    # Whoever asks while the old requests come again never sees an old value.
    assert set(values) == {29}
    (bell,) = guest.ask('retrieve', {'episodes': {'kind': 'sound'}})
    assert bell['count'] == 30


def test_a_server_that_is_killed_with_many_requests_waiting_does_each_once(ros: Any, until: Until,
                                                                           nursery: Nursery) -> None:
    server, guest, number = nursery.start(), Asker(ros, until), 600
    guest.ask('retrieve', {'state': {}})
    questions = [guest.tell('memory.update', {'episode': {'kind': 'sound', 'text': 'a bell'}}, reply_to='guest')
                 for _ in range(number)]
    for question in questions:
        guest.bus.send('memory_server', question)
    until(lambda: len(guest.answers) > 100, 'nothing is answered')
    nursery.kill(server, until)
    assert len(guest.answers) < number
    nursery.start()
    until(lambda: len(guest.answers) > number, 'not all is answered')
    assert not any(answer.metadata for answer in guest.answers.values())
    (bell,) = guest.ask('retrieve', {'episodes': {'kind': 'sound'}})
    assert bell['count'] == number


def test_what_an_agent_remembers_while_the_server_is_away_is_kept(ros: Any, until: Until, nursery: Nursery) -> None:
    server, agent, outcomes = nursery.start(), Agent('walker'), []

    @agent.on('walk.lap')
    async def lap(ctx: Context, event: Event) -> None:
        try:
            await ctx.remember('laps', event.data)
            outcomes.append(event.data)
        except LoomError as error:
            outcomes.append(error)
    guest = Asker(ros, until)
    with AgentHost(guest.bus, RosClock(guest.node.get_clock()), agent, memory='memory_server'):
        for number in range(3):
            guest.bus.publish(guest.tell('walk.lap', 2 * number))
            until(lambda number=number: len(outcomes) > 2 * number, 'it is not remembered')
            nursery.kill(server, until)
            guest.bus.publish(guest.tell('walk.lap', 2 * number + 1))
            server = nursery.start()
            until(lambda number=number: len(outcomes) > 2 * number + 1, 'it is not remembered')
        assert outcomes == list(range(6))
        nursery.kill(server, until)
        nursery.start()
        assert guest.ask('retrieve', {'state': {'key': 'laps', 'agent': 'walker'}}) == 5


def test_a_server_that_is_asked_to_end_under_load_keeps_what_it_acknowledged(
        ros: Any, until: Until, program: Callable[..., Any], tmp_path: Path) -> None:
    code = (f'import sys; sys.path.append({str(TESTS)!r}); import forked_node\n'
            'sys.stdin = [""]; import os; os.fork = lambda: 0\n'
            f'sys.argv += ["memory_server", "--ros-args", "-r", "__ns:=/{ros.namespace}", "-p", "store:={tmp_path}"]\n'
            'exec(forked_node.CODE)')
    guest, server = Asker(ros, until), program(code)
    guest.ask('update', {'state': {'key': 'n', 'value': 0}})
    sent: dict[str, int] = {}
    for number in range(1, 3):
        # More than it can answer while it ends.
        for value in range(100 * number, 100 * number + 100):
            question = guest.tell('memory.update', {'state': {'key': f'n{value}', 'value': value}}, reply_to='guest')
            sent[question.id] = value
            guest.bus.send('memory_server', question)
        if number == 1:
            until(lambda: len(guest.answers) > 50, 'nothing is acknowledged')
    begun_s = time.monotonic()
    assert server.end(signal.SIGTERM, 2.0) == 0
    assert time.monotonic() - begun_s < 2.0
    acknowledged = [sent[key] for key, answer in guest.answers.items() if key in sent and not answer.metadata]
    store = SqliteStore(tmp_path / FILE)
    kept = State(store).all('guest')
    store.close()
    assert store.notice == '' and len(acknowledged) > 50
    assert {f'n{value}': value for value in acknowledged}.items() <= kept.items()


def test_search_is_a_service(ros: Any, until: Until, tmp_path: Path) -> None:
    pytest.importorskip('tokenizers')
    node, guest = memory_node(ros, tmp_path), Asker(ros, until)
    guest.knows('{"kitchen": [4.0, 3.0, 0.0], "hallway": [0.0, 0.0, 0.0]}')
    until(lambda: node._where.places, 'the places did not come')
    for text, x, stamp_s in (('red ball', 4.5, 100), ('red ball', 4.5, 400), ('blue box', 4.0, 200),
                             ('cone', 0.0, 300)):
        guest.ask('update', {'episode': {'kind': 'object', 'text': text, 'x': x, 'y': 3.0,
                                         'stamp_ns': stamp_s * NANOSECONDS}})
    for text in ('the charger hums at night', 'Ann likes her tea without sugar'):
        guest.ask('update', {'note': {'text': text}})
    client = guest.node.create_client(SearchMemory, 'memory_server/search')

    def search(**fields: Any) -> Any:
        return call(client, SearchMemory.Request(**fields), 10.0)

    def texts(**fields: Any) -> list[str]:
        answer = search(**fields)
        assert (answer.error_code, answer.error_msg) == (0, '')
        return [json.loads(found)['text'] for found in answer.results]
    assert texts() == ['red ball', 'cone', 'blue box', 'red ball']
    assert texts(limit=1) == ['red ball']
    assert texts(near='kitchen') == ['red ball', 'blue box', 'red ball']
    assert texts(near='kitchen', radius_m=0.2) == ['blue box']
    assert texts(text='Ball', since=Time(sec=300)) == ['red ball']
    assert texts(since=Time(sec=150), until=Time(sec=350)) == ['cone', 'blue box']
    assert texts(kind='notes', text='what does Ann drink?', limit=1) == ['Ann likes her tea without sugar']
    for code, text, fields in ((405, 'did you mean', {'near': 'kichen'}), (406, 'kind must be', {'kind': 'things'}),
                               (406, 'radius_m', {'radius_m': -1.0}), (406, 'limit', {'limit': 1000}),
                               (406, 'radius_m', {'radius_m': math.nan}), (406, 'notes.text', {'kind': 'notes'})):
        refused = search(**fields)
        assert refused.error_code == code and text in refused.error_msg and not refused.results, refused
