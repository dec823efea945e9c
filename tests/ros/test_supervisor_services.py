"""The supervisor between ROS and the keeper: orders go one way, reports the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

rclpy = pytest.importorskip('rclpy')

from builtin_interfaces.msg import Time  # noqa: E402
from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from loom_msgs.msg import Health  # noqa: E402
from loom_msgs.srv import ManageNodes, SetMode  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

from loom.core.delivery import STATE  # noqa: E402
from loom.core.errors import LoomError  # noqa: E402
from loom.nodes.supervisor import Supervisor  # noqa: E402
from loom.ros import supervisor_services  # noqa: E402
from loom.ros.diagnostics import ERROR, OK, WARN  # noqa: E402
from loom.ros.kept import reach  # noqa: E402
from loom.ros.qos import subscription_profile  # noqa: E402
from loom.ros.service_call import call  # noqa: E402
from loom.ros.supervisor_services import MODES, ORDERS, command, health_message, mode  # noqa: E402
from loom.supervise import link as link_module  # noqa: E402
from loom.supervise.channel import Channel  # noqa: E402
from loom.supervise.link import Link  # noqa: E402

Until = Callable[..., None]
CALL_S = 10.0
REPORT = {'mode': 'active', 'states': {'safety': 'active', 'camera': 'active'}, 'level': 0, 'message': '',
          'restarts': {}, 'given_up': []}


def test_commands_have_the_numbers_of_nav2() -> None:
    assert [command(n) for n in range(7)] == ['active', 'paused', 'active', 'reset', 'stopped', 'paused', 'stopped']
    request = ManageNodes.Request
    assert set(ORDERS) == {request.STARTUP, request.PAUSE, request.RESUME, request.RESET, request.SHUTDOWN,
                           request.CONFIGURE, request.CLEANUP}


@pytest.mark.parametrize('number', [7, 99, 255])
def test_a_number_that_is_no_command_is_refused(number: int) -> None:
    with pytest.raises(LoomError, match=rf'command must be one of 0\.\.6, got {number}') as refused:
        command(number)
    assert refused.value.code == 1


def test_modes_are_known_by_name() -> None:
    assert [mode(name) for name in MODES] == ['active', 'paused', 'safe', 'stopped']
    for name in ('asleep', '', 'starting', 'reset'):
        with pytest.raises(LoomError, match=f"mode must be one of active, paused, safe, stopped, got '{name}'") as no:
            mode(name)
        assert no.value.code == 1


@pytest.mark.parametrize('level', [Health.OK, Health.DEGRADED, Health.DOWN])
def test_a_report_becomes_a_message(level: int) -> None:
    report = {'mode': 'safe', 'states': {'b': 'active', 'a': 'unknown'}, 'level': level, 'message': 'a is unknown',
              'restarts': {'a': 3, 'gone': 1}, 'given_up': ['a']}
    message = health_message(report, Time(sec=7))
    assert (message.stamp.sec, message.level, message.mode, message.message) == (7, level, 'safe', 'a is unknown')
    assert (list(message.nodes), list(message.states), list(message.restarts)) == (
        ['b', 'a'], ['active', 'unknown'], [0, 3])


class Scene:
    """A supervisor with the keeper's end of its line in the test's hand, and a guest that asks it."""

    def __init__(self, ros: Any, until: Until, period_s: float) -> None:
        self.until = until
        self.keeper, theirs = Channel.pair()
        self.others: list[dict[str, Any]] = []
        Link(theirs).listen(self.others.append, lambda: None)
        self.supervisor: Supervisor = ros.add(Supervisor, parameter_overrides=[
            Parameter('order_timeout_s', value=1.0), Parameter('health_period_s', value=period_s)])
        assert reach(self.supervisor, 'active') == ''
        self.guest = ros.add(rclpy.create_node, 'guest')
        self.health: list[Health] = []
        self.parts: dict[str, Any] = {}
        self.guest.create_subscription(Health, 'loom/health', self.health.append, subscription_profile(STATE))
        self.guest.create_subscription(DiagnosticArray, '/diagnostics', self._diagnosed, 10)
        self._prefix = f'{ros.namespace}/supervisor: '

    def _diagnosed(self, array: Any) -> None:
        self.parts = {s.name.removeprefix(self._prefix): s for s in array.status if s.name.startswith(self._prefix)}

    def ask(self, service_type: Any, name: str, **request: Any) -> Any:
        client = self.guest.create_client(service_type, f'supervisor/{name}')
        self.until(client.service_is_ready)
        return client.call_async(service_type.Request(**request))

    def order(self) -> dict[str, Any]:
        found: list[dict[str, Any]] = []

        def arrived() -> bool:
            if (message := self.keeper.receive()) is not None:
                found.append(message)
            return bool(found)
        self.until(arrived, 'no order came')
        return found[0]

    def report(self, **changes: Any) -> None:
        self.keeper.send(report={**REPORT, **changes})

    def all_heard(self) -> None:
        """Returns when what was sent has been read: messages come one after the other."""
        before = len(self.others)
        self.keeper.send(last=True)
        self.until(lambda: len(self.others) > before, 'nobody reads the channel')


@pytest.fixture
def scene(ros: Any, until: Until, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr(supervisor_services, 'SILENT_S', 60.0)
    one = Scene(ros, until, getattr(request, 'param', 60.0))
    yield one
    one.keeper.close()
    link_module._lines.clear()


def test_an_order_is_passed_on_and_its_answer_passed_back(scene: Scene) -> None:
    answer = scene.ask(ManageNodes, 'manage_nodes', command=ManageNodes.Request.PAUSE)
    order = scene.order()
    assert order['order'] == 'paused' and not answer.done()
    scene.keeper.send(answer=order['id'], error='')
    scene.until(answer.done)
    assert (answer.result().success, answer.result().error_code, answer.result().error_msg) == (True, 0, '')
    answer = scene.ask(SetMode, 'set_mode', mode='safe')
    order = scene.order()
    assert order['order'] == 'safe'
    scene.keeper.send(answer=order['id'], error='camera is unconfigured: no camera 7')
    scene.until(answer.done)
    assert (answer.result().success, answer.result().error_code, answer.result().error_msg) == (
        False, 2, 'camera is unconfigured: no camera 7')


def test_an_order_that_is_not_answered_is_an_error_in_time(scene: Scene) -> None:
    answer = scene.ask(SetMode, 'set_mode', mode='paused')
    scene.until(answer.done)
    assert (answer.result().success, answer.result().error_code) == (False, 2)
    assert "'paused' must be reached in 1 s and was not" in answer.result().error_msg


def test_orders_go_one_after_the_other(scene: Scene) -> None:
    first = scene.ask(SetMode, 'set_mode', mode='paused')
    order = scene.order()
    second = scene.ask(SetMode, 'set_mode', mode='active')
    assert call(scene.guest.create_client(Trigger, 'supervisor/is_active'), Trigger.Request(), CALL_S).message, \
        'the node answers meanwhile'
    assert scene.keeper.receive() is None
    scene.keeper.send(answer=order['id'], error='')
    scene.until(first.done)
    assert scene.order()['order'] == 'active' and not second.done()


def test_nonsense_is_answered_without_the_keeper(scene: Scene) -> None:
    answer = scene.ask(ManageNodes, 'manage_nodes', command=99)
    scene.until(answer.done)
    assert (answer.result().success, answer.result().error_code) == (False, 1) and 'got 99' in answer.result().error_msg
    answer = scene.ask(SetMode, 'set_mode', mode='asleep')
    scene.until(answer.done)
    assert (answer.result().success, answer.result().error_code) == (False, 1)
    assert "'asleep'" in answer.result().error_msg and scene.keeper.receive() is None


def test_reports_are_published_at_once_and_told_by_is_active(scene: Scene) -> None:
    is_active = scene.guest.create_client(Trigger, 'supervisor/is_active')
    answer = call(is_active, Trigger.Request(), CALL_S)
    assert (answer.success, answer.message) == (False, 'unknown') and scene.health == []
    scene.report()
    scene.until(lambda: scene.health)
    assert (scene.health[-1].mode, list(scene.health[-1].nodes)) == ('active', ['safety', 'camera'])
    assert call(is_active, Trigger.Request(), CALL_S).success
    scene.report(mode='safe', level=2, message='camera failed too often')
    scene.until(lambda: scene.health[-1].level == Health.DOWN)
    answer = call(is_active, Trigger.Request(), CALL_S)
    assert (answer.success, answer.message) == (False, 'camera failed too often')


def test_a_keeper_that_says_nothing_more_is_not_believed_for_long(scene: Scene,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_services, 'SILENT_S', 0.1)
    scene.report()
    scene.until(lambda: scene.health and scene.health[-1].mode == 'unknown')
    said = scene.health[-1]
    assert (said.level, list(said.states)) == (Health.DOWN, ['unknown', 'unknown'])
    assert said.message == 'the keeper has said nothing for 0.1 s: nobody watches over the nodes'
    answer = call(scene.guest.create_client(Trigger, 'supervisor/is_active'), Trigger.Request(), CALL_S)
    assert (answer.success, answer.message) == (False, said.message)
    monkeypatch.setattr(supervisor_services, 'SILENT_S', 60.0)
    scene.report()
    scene.until(lambda: scene.health[-1].mode == 'active')


@pytest.mark.parametrize('scene', [0.2], indirect=True)
def test_the_newest_report_is_repeated(scene: Scene) -> None:
    scene.report(message='all is said')
    scene.until(lambda: [message.message for message in scene.health] == ['all is said'] * 3)


def test_diagnostics_tell_the_mode_and_of_each_node_that_failed(scene: Scene) -> None:
    scene.until(lambda: 'mode' in scene.parts)
    assert (scene.parts['mode'].level, scene.parts['mode'].message) == (WARN, 'no report from the keeper yet')
    scene.report(level=1, message='camera is unconfigured: no camera 7', restarts={'camera': 6, 'safety': 1},
                 given_up=['camera'])
    scene.until(lambda: 'camera' in scene.parts)
    found = {name: (part.level, part.message) for name, part in scene.parts.items()}
    assert found['mode'] == (WARN, 'camera is unconfigured: no camera 7')
    assert found['camera'] == (ERROR, 'given up') and found['safety'] == (WARN, 'was started again')
    assert scene.parts['camera'].values[0].value == '6'
    scene.report()
    scene.until(lambda: 'camera' not in scene.parts)
    assert (scene.parts['mode'].level, scene.parts['mode'].message) == (OK, 'active')


def test_it_works_again_after_it_was_cleaned_up(scene: Scene) -> None:
    assert reach(scene.supervisor, 'unconfigured') == ''
    scene.report(message='nobody listens')
    scene.all_heard()
    assert reach(scene.supervisor, 'active') == ''
    scene.report(message='somebody listens')
    scene.until(lambda: scene.health and scene.health[-1].message == 'somebody listens')
    assert 'nobody listens' not in [message.message for message in scene.health]
    assert scene.supervisor._failures == 0


def test_without_a_keeper_it_says_what_to_do(ros: Any) -> None:
    assert 'supervisor speaks for the keeper' in reach(ros.add(Supervisor), 'active')
