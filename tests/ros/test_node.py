"""LoomNode: what lives while active, what a failure leaves, what others see of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

rclpy = pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from lifecycle_msgs.srv import GetState  # noqa: E402
from loom_msgs.action import Invoke  # noqa: E402
from rclpy.action import ActionClient  # noqa: E402
from std_msgs.msg import String  # noqa: E402
from std_srvs.srv import SetBool, Trigger  # noqa: E402

from loom.core.delivery import COMMAND, STATE  # noqa: E402
from loom.core.errors import CapabilityError, DeviceError, LoomError  # noqa: E402
from loom.core.event import Event  # noqa: E402
from loom.ros.node import ERROR, OK, WARN, LoomNode, Part  # noqa: E402
from loom.ros.service_call import call  # noqa: E402

Until = Callable[..., None]


class Probe(LoomNode):
    """Has one of everything and writes down what happens."""

    __module__ = 'nodes.probe'

    def __init__(self, **options: Any) -> None:
        self.seen: list[Any] = []
        self.broken: dict[str, Exception] = {}
        self.ticks = 0
        super().__init__(**options)

    def happen(self, name: str) -> None:
        self.seen.append(name)
        if name in self.broken:
            raise self.broken[name]

    def configure(self) -> None:
        self.out = self.publisher(String, 'out', STATE)
        self.subscribe(String, 'in', self.on_text, COMMAND)
        self.every(0.01, self.tick, steady=True)
        self.serve(Trigger, 'probe/ask', self.on_ask)
        self.serve(SetBool, 'probe/ask_later', self.on_ask_later)
        self.serve_action(Invoke, 'probe/invoke', self.execute)
        self.listen('test.*', lambda event: self.happen(event.data))
        self.happen('configure')

    def activate(self) -> None:
        self.happen('activate')

    def deactivate(self) -> None:
        self.happen('deactivate')

    def cleanup(self) -> None:
        self.happen('cleanup')

    def on_text(self, message: String) -> None:
        self.happen(message.data)

    def tick(self) -> None:
        self.ticks += 1
        if 'tick' in self.broken:
            raise self.broken['tick']

    def on_ask(self, request: Any, response: Any) -> Any:
        self.happen('ask')
        response.success, response.message = True, 'now'
        return response

    async def on_ask_later(self, request: Any, response: Any) -> Any:
        await rclpy.task.Future(executor=self.executor) if request.data else None
        self.happen('ask_later')
        response.success, response.message = True, 'later'
        return response

    async def execute(self, goal: Any) -> Any:
        self.happen('execute')
        goal.succeed()
        return Invoke.Result(result='done')

    def diagnose(self) -> Any:
        yield Part('rate', OK, 'fine', {'hz': '10.0'})


class Guest:
    """Another node that looks at the probe through ROS."""

    def __init__(self, ros: Any, until: Until) -> None:
        self.node = ros.add(rclpy.create_node, 'guest')
        self.until = until
        self.statuses: dict[str, Any] = {}
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)
        self.text = self.node.create_publisher(String, 'in', 10)
        self.ask = self.node.create_client(Trigger, 'probe/ask')
        self.prefix = f'{ros.namespace}/probe: '

    def _on_diagnostics(self, array: Any) -> None:
        self.statuses.update({s.name.removeprefix(self.prefix): s for s in array.status})

    def state(self) -> str:
        client = self.node.create_client(GetState, 'probe/get_state')
        return str(call(client, GetState.Request(), 5.0).current_state.label)


@pytest.fixture
def probe(ros: Any) -> Probe:
    node: Probe = ros.add(Probe)
    return node


@pytest.fixture
def guest(ros: Any, until: Until) -> Guest:
    return Guest(ros, until)


def bring_up(node: Probe) -> None:
    assert node.trigger_configure() == node.trigger_activate() == rclpy.lifecycle.TransitionCallbackReturn.SUCCESS


def test_the_node_is_called_like_its_file(probe: Probe, ros: Any) -> None:
    assert probe.get_fully_qualified_name() == f'/{ros.namespace}/probe'


def test_nothing_is_heard_served_or_repeated_while_inactive(probe: Probe, guest: Guest) -> None:
    probe.trigger_configure()
    assert probe.seen == ['configure'] and probe.ticks == 0
    assert {s.topic_name.rpartition('/')[2] for s in probe.subscriptions} <= {'parameter_events', 'clock'}
    bring_up_again = [probe.trigger_activate(), probe.trigger_deactivate()]
    assert len(set(bring_up_again)) == 1 and probe.seen == ['configure', 'activate', 'deactivate']
    ticks = probe.ticks
    assert not [s for s in probe.services if 'ask' in s.srv_name or 'invoke' in s.srv_name]
    guest.until(lambda: not guest.ask.service_is_ready(), 'the service of an inactive node is still there')
    assert probe.ticks <= ticks + 1
    assert guest.state() == 'inactive'


def test_everything_works_while_active(probe: Probe, guest: Guest) -> None:
    bring_up(probe)
    guest.until(lambda: guest.text.get_subscription_count() == 1 and probe.ticks > 2)
    guest.text.publish(String(data='hello'))
    assert call(guest.ask, Trigger.Request(), 5.0).message == 'now'
    later = guest.node.create_client(SetBool, 'probe/ask_later')
    assert call(later, SetBool.Request(data=False), 5.0).message == 'later'
    probe.bus.publish(Event.create('test.a', 'event', source='s', stamp_ns=0))
    guest.until(lambda: {'hello', 'ask', 'ask_later', 'event'} <= set(probe.seen), f'{probe.seen}')


def test_it_works_again_after_every_round(probe: Probe, guest: Guest) -> None:
    for _ in range(3):
        bring_up(probe)
        assert call(guest.ask, Trigger.Request(), 5.0).success
        probe.trigger_deactivate()
        probe.trigger_activate()
        assert call(guest.ask, Trigger.Request(), 5.0).success
        probe.trigger_deactivate()
        probe.trigger_cleanup()
        assert len(list(probe.publishers)) == publishers_of_an_idle_node(probe)
    assert probe.seen.count('ask') == 6 and probe.seen[-2:] == ['deactivate', 'cleanup']


def publishers_of_an_idle_node(node: Probe) -> int:
    """Those that a node has for ROS itself, for diagnostics and for the events it published."""
    return len([p for p in node.publishers if not p.topic_name.endswith('/out')])


def test_an_action_is_carried_out(probe: Probe, guest: Guest) -> None:
    bring_up(probe)
    client: Any = ActionClient(guest.node, Invoke, 'probe/invoke')
    assert client.wait_for_server(5.0)
    sent = client.send_goal_async(Invoke.Goal(capability='x'))
    guest.until(sent.done)
    result = sent.result().get_result_async()
    guest.until(result.done)
    assert result.result().result.result == 'done'
    client.destroy()


@pytest.mark.parametrize('step', ['configure', 'activate'])
@pytest.mark.parametrize('error', [DeviceError('no camera 7; there is: 0'), ZeroDivisionError('division by zero')])
def test_a_failed_step_goes_back_and_says_why(probe: Probe, guest: Guest, step: str, error: Exception) -> None:
    probe.broken = {step: error}
    results = [probe.trigger_configure(), *([probe.trigger_activate()] if step == 'activate' else [])]
    assert results[-1] == rclpy.lifecycle.TransitionCallbackReturn.FAILURE
    assert guest.state() == {'configure': 'unconfigured', 'activate': 'inactive'}[step]
    guest.until(lambda: 'lifecycle' in guest.statuses and guest.statuses['lifecycle'].level == ERROR)
    assert guest.statuses['lifecycle'].message == f'{step}: {error}'
    assert not guest.ask.service_is_ready() and probe.ticks == 0
    probe.broken = {}
    for again in (probe.trigger_configure, probe.trigger_activate)[step == 'activate':]:
        assert again() == rclpy.lifecycle.TransitionCallbackReturn.SUCCESS
    assert call(guest.ask, Trigger.Request(), 5.0).success


def test_a_cleanup_that_fails_after_a_failed_configure_leaves_the_node_usable(probe: Probe, guest: Guest) -> None:
    probe.broken = {'configure': DeviceError('no camera'), 'cleanup': AttributeError('was never made')}
    probe.trigger_configure()
    assert guest.state() == 'unconfigured' and 'no camera' in probe.stopped_because
    probe.broken = {}
    bring_up(probe)


def test_the_end_reaches_everything_even_if_a_part_fails(ros: Any) -> None:
    probe: Probe = ros.add(Probe)
    bring_up(probe)
    probe.broken = {'deactivate': RuntimeError('stuck'), 'cleanup': RuntimeError('stuck')}
    ros.remove(probe)
    assert probe.seen[-2:] == ['deactivate', 'cleanup']


def test_a_node_that_was_never_configured_has_nothing_to_clean_up(ros: Any) -> None:
    probe: Probe = ros.add(Probe)
    ros.remove(probe)
    assert probe.seen == []


def test_callbacks_that_raise_are_counted_and_hurt_nobody(probe: Probe, guest: Guest) -> None:
    bring_up(probe)
    guest.until(lambda: guest.text.get_subscription_count() == 1)
    probe.broken = {'tick': RuntimeError('spring broken'), 'bad': ValueError('bad text')}
    guest.text.publish(String(data='bad'))
    guest.until(lambda: 'bad' in probe.seen and probe._failures > 3)
    probe.broken = {}
    ticks = probe.ticks
    guest.text.publish(String(data='good'))
    guest.until(lambda: 'good' in probe.seen and probe.ticks > ticks)
    guest.until(lambda: 'callbacks' in guest.statuses)
    status = guest.statuses['callbacks']
    assert status.level == WARN and int(status.values[0].value) > 3 and status.message in ('spring broken', 'bad text')


def test_a_service_that_raises_answers_with_the_reason(probe: Probe, guest: Guest) -> None:
    bring_up(probe)
    probe.broken = {'ask': CapabilityError("no capability named 'fly'", 101), 'ask_later': LoomError('try later')}
    answer = call(guest.ask, Trigger.Request(), 5.0)
    assert not answer.success and answer.message == "no capability named 'fly'"
    later = guest.node.create_client(SetBool, 'probe/ask_later')
    answer = call(later, SetBool.Request(), 5.0)
    assert not answer.success and answer.message == 'try later'


def test_an_action_that_raises_is_aborted_and_the_node_lives(probe: Probe, guest: Guest) -> None:
    bring_up(probe)
    probe.broken = {'execute': RuntimeError('no legs')}
    client: Any = ActionClient(guest.node, Invoke, 'probe/invoke')
    assert client.wait_for_server(5.0)
    sent = client.send_goal_async(Invoke.Goal(capability='x'))
    guest.until(sent.done)
    result = sent.result().get_result_async()
    guest.until(result.done, 'an action that failed never answered')
    assert result.result().status == 6
    assert call(guest.ask, Trigger.Request(), 5.0).success
    client.destroy()


def test_diagnostics_have_the_node_the_part_and_the_values(probe: Probe, guest: Guest) -> None:
    bring_up(probe)
    guest.until(lambda: {'lifecycle', 'rate'} <= set(guest.statuses), f'{guest.statuses.keys()}')
    rate = guest.statuses['rate']
    assert (rate.level, rate.message, rate.hardware_id, rate.values[0].key) == (OK, 'fine', 'loom', 'hz')
    assert guest.statuses['lifecycle'].message == 'active'


def test_a_diagnose_that_raises_does_not_silence_the_node(probe: Probe, guest: Guest) -> None:
    probe.diagnose = lambda: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    bring_up(probe)
    guest.until(lambda: guest.statuses.get('lifecycle', Part('', OK, '')).message == 'active',
                'no diagnostics of a node whose diagnose() raises')
    assert call(guest.ask, Trigger.Request(), 5.0).success


def test_call_soon_runs_on_the_executor_and_survives_errors(probe: Probe, guest: Guest) -> None:
    probe.call_soon(lambda: probe.happen('soon'))
    guest.until(lambda: 'soon' in probe.seen)
    probe.broken = {'bad': ValueError('bad')}
    probe.call_soon(lambda: probe.happen('bad'))
    probe.call_soon(lambda: probe.happen('after'))
    guest.until(lambda: 'after' in probe.seen)
    assert not asyncio.iscoroutinefunction(probe.call_soon)


def test_events_heard_before_are_not_acted_on_again_after_a_pause(probe: Probe, guest: Guest) -> None:
    bring_up(probe)
    probe.bus.publish(Event.create('test.a', 'once', source='s', stamp_ns=0))
    guest.until(lambda: 'once' in probe.seen)
    probe.trigger_deactivate()
    probe.trigger_activate()
    probe.bus.publish(Event.create('test.a', 'next', source='s', stamp_ns=0))
    guest.until(lambda: 'next' in probe.seen)
    assert probe.seen.count('once') == 1
