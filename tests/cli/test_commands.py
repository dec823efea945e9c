"""The loom command: with no robot there is one clear line in time; with one it shows and speaks."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

pytest.importorskip('rclpy')

from loom_msgs.msg import AgentCard, Capability, Directory, Health
from process_tree import children, runs

from loom.cli import say as say_module
from loom.cli.main import app
from loom.core.delivery import STATE
from loom.core.errors import LoomError
from loom.core.event import Event, Hop
from loom.core.ledger import Ledger
from loom.ros.latency import LatencyTopic
from loom.ros.node import LoomNode

runner = CliRunner(env={'COLUMNS': '160'})
LOOM = str(Path(__file__).resolve().parents[2] / 'ros_ws' / 'src' / 'loom' / 'bin' / 'loom')
START_S = 30.0
# Stands in for `ros2 launch`: says what it was asked, publishes a mission's result, ends when told to.
FAKE_ROS2 = """#!{python}
import os, sys, time
print('asked:', *sys.argv[1:], flush=True)
if os.environ['FAKE'] == 'ends':
    sys.exit(3)
from loom.ros.client import robot_client
from loom.core.event import Event
reason = 'too [dark]' if os.environ['FAKE'] == 'fails' else ''
data = {'mission': 'm', 'success': os.environ['FAKE'] == 'succeeds', 'reason': reason, 'report': 'saw [red] ball'}
try:
    with robot_client('lab') as robot:
        while True:
            if os.environ['FAKE'] != 'is silent':
                robot.bus.publish(Event.create('mission.result', data, source='fake', stamp_ns=0))
            time.sleep(0.3)
except KeyboardInterrupt:
    print('ended', flush=True)
"""


def command(*arguments: str) -> list[str]:
    import sys
    return [sys.executable, LOOM, *arguments]


@pytest.fixture(autouse=True)
def _output_without_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    # The events executor enables faulthandler, which the runner's output, being no file, can't serve.
    monkeypatch.setattr('faulthandler.enable', lambda *_: None)


@pytest.fixture
def fake_ros2(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    import sys
    script = tmp_path / 'bin' / 'ros2'
    script.parent.mkdir()
    script.write_text(FAKE_ROS2.replace('{python}', sys.executable))
    script.chmod(0o755)
    return lambda behaviour: {'PATH': f'{script.parent}:{os.environ["PATH"]}', 'FAKE': behaviour}


def test_with_no_robot_each_verb_says_so_in_one_line(program: Callable[..., Any]) -> None:
    listing = program(command=command('list', '-n', 'nowhere'))
    saying = program(command=command('say', 'hello', '-n', 'nowhere'))
    assert (listing.process.wait(START_S), saying.process.wait(START_S)) == (1, 1)
    assert listing.text == 'error: no robot is up here: no supervisor reports on loom/health; type: loom up\n'
    assert saying.text.startswith('error: nobody listens to text.typed; is the robot up (see: loom list)?')
    assert len(saying.text.splitlines()) == 1


@pytest.mark.parametrize('arguments', [['fly'], ['say'], ['run'], ['run', 'x', '--timeout-s', '0'], ['list', '--what']])
def test_bad_usage_is_refused(arguments: list[str]) -> None:
    assert runner.invoke(app, arguments).exit_code == 2


def test_help_names_every_verb() -> None:
    text = runner.invoke(app, ['--help']).output
    assert all(f'{verb} ' in text for verb in ('up', 'say', 'list', 'run', 'doctor', 'latency'))


@pytest.mark.parametrize('namespace', ['1st', 'a b', 'a//b'])
def test_a_namespace_that_is_none_is_refused(namespace: str) -> None:
    result = runner.invoke(app, ['list', '-n', namespace])
    assert result.exit_code != 0 and isinstance(result.exception, LoomError), repr(result.exception)


def test_up_is_the_launch_file(program: Callable[..., Any], fake_ros2: Callable[[str], dict[str, str]]) -> None:
    one = program(command=command('up', 'world:=warehouse', '--debug'), **fake_ros2('ends'))
    assert one.process.wait(START_S) == 3
    assert one.text == 'asked: launch loom bringup.launch.py world:=warehouse --debug\n'


@pytest.mark.parametrize(('behaviour', 'code', 'text'), [
    ('succeeds', 0, 'mission m succeeded: saw [red] ball'), ('fails', 1, 'mission m failed: too [dark]'),
    ('fails without a word', 1, 'mission m failed'),
    ('ends', 1, 'mission m failed: the robot ended with exit code 3 before the mission did'),
    ('is silent', 1, 'mission m failed: no result within 2 s')])
def test_run_ends_with_the_mission(program: Callable[..., Any], fake_ros2: Callable[[str], dict[str, str]],
                                   behaviour: str, code: int, text: str) -> None:
    seconds = '2' if behaviour == 'is silent' else '20'
    one = program(command=command('run', 'm', '--timeout-s', seconds, 'namespace:=lab'), **fake_ros2(behaviour))
    assert one.process.wait(START_S) == code, one.text
    assert 'asked: launch loom bringup.launch.py mission:=m namespace:=lab' in one.text
    assert text in one.text and 'Traceback' not in one.text
    assert ('ended\n' in one.text) == (behaviour != 'ends')


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_run_takes_its_robot_along_when_it_is_ended(program: Callable[..., Any], until: Any, number: int,
                                                    fake_ros2: Callable[[str], dict[str, str]]) -> None:
    one = program(command=command('run', 'm', 'namespace:=lab'), **fake_ros2('is silent'))
    until(lambda: 'asked' in one.text and children(one.process.pid), 'no start', START_S)
    launched = children(one.process.pid)
    assert one.end(number, 10.0) != 0
    until(lambda: not any(map(runs, launched)), f'{launched} outlived the command: {one.text}')


class Talker(LoomNode):
    """A robot of one node: health, directory, an answer to what is typed."""

    __module__ = 'nodes.talker'
    answer = 'I am on my way'

    def configure(self) -> None:
        self.health = self.publisher(Health, 'loom/health', STATE)
        self.cards = self.publisher(Directory, 'loom/directory', STATE)
        self.health.publish(Health(mode='active'))
        self.cards.publish(Directory(host='talker', incarnation='0123456789abcdef', agents=[
            AgentCard(id='navigator', state='active', capabilities=[
                Capability(name='go_to', description='Drive to a [named] place.', schema='{}'),
                Capability(name='stop', schema='{}')]),
            AgentCard(id='lookout', state='inactive', listens=['camera.*.object'])]))
        self.listen('text.typed', self.on_text)
        self.ledger = Ledger()
        LatencyTopic(self, self.ledger)

    def on_text(self, event: Event) -> None:
        if self.answer:
            self.bus.publish(Event.create('speaker.say', {'text': 'not for you'}, source='talker', stamp_ns=0,
                                          thread_id='x'))
            self.bus.publish(event.child('speaker.say', {'text': self.answer}, source='talker', stamp_ns=0,
                                         thread_id=event.thread_id or event.id))


@pytest.fixture
def talker(ros: Any) -> Iterator[Talker]:
    node: Talker = ros.add(Talker)
    node.trigger_configure()
    node.trigger_activate()
    yield node


def test_list_shows_nodes_agents_and_capabilities(talker: Talker, ros: Any) -> None:
    result = runner.invoke(app, ['list', '-n', ros.namespace])
    assert result.exit_code == 0, result.output + repr(result.exception)
    for text in ('robot is active', 'talker', 'active', 'navigator', 'go_to', 'Drive to a [named] place.', 'stop',
                 'lookout', 'inactive', 'listens to camera.*.object', '01234567'):
        assert text in result.output, f'{text!r} is not in\n{result.output}'


@pytest.mark.parametrize(('query', 'found'), [
    (('--capability', 'go_to'), 'navigator'), (('--topic', 'camera.front.object', '--state', 'inactive'), 'lookout'),
    (('--state', 'gone'), ''), (('--capability', 'go_to', '--state', 'inactive'), '')])
def test_list_finds_agents(talker: Talker, ros: Any, query: tuple[str, ...], found: str) -> None:
    result = runner.invoke(app, ['list', '-n', ros.namespace, *query])
    assert result.exit_code == 0, result.output + repr(result.exception)
    assert {name for name in ('navigator', 'lookout') if name in result.output} == {found} - {''}, result.output
    assert 'robot is' not in result.output


@pytest.mark.parametrize(('query', 'text'), [
    (('--state', 'dead'), "no state named 'dead'; there are: active, gone, inactive"),
    (('--topic', 'Camera'), 'an event type must be lower_snake')])
def test_a_query_that_can_find_nothing_is_refused(query: tuple[str, ...], text: str) -> None:
    result = runner.invoke(app, ['list', *query])
    assert result.exit_code != 0 and text in str(result.exception)


def test_latency_shows_each_stage_of_each_chain(talker: Talker, ros: Any) -> None:
    end_ns = time.time_ns()
    talker.ledger.ended(end_ns - 8_250_000, (Hop('salience', 1500, 0, 2250), Hop('safety', 4000, 0, 500)), end_ns)
    talker.ledger.late(Event('a.b', 'camera', 0), 'guard [old]')
    result = runner.invoke(app, ['latency', '-n', ros.namespace])
    assert result.exit_code == 0, result.output + repr(result.exception)
    for text in ('salience > safety', '8.2', '2.25', '4.00', 'guard [old]', 'transport'):
        assert text in result.output, f'{text!r} is not in\n{result.output}'


def test_say_prints_the_answer_to_this_sentence(talker: Talker, ros: Any) -> None:
    talker.answer = 'I see a [red] ball'
    result = runner.invoke(app, ['say', 'what do you see', '-n', ros.namespace])
    assert (result.exit_code, result.output) == (0, 'robot: I see a [red] ball\n'), repr(result.exception)


def test_say_ends_in_time_when_the_robot_is_silent(talker: Talker, ros: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(say_module, 'ANSWER_S', 0.5)
    talker.answer = ''
    result = runner.invoke(app, ['say', 'hello', '-n', ros.namespace])
    assert result.exit_code == 1 and 'said nothing within' in result.output
