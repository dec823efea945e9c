"""The supervisor with real nodes: services, health, failures, nodes that are missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

rclpy = pytest.importorskip('rclpy')

from loom_msgs.msg import Health  # noqa: E402
from loom_msgs.srv import ManageNodes, SetMode  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402

from loom.core.delivery import STATE  # noqa: E402
from loom.core.errors import DeviceError  # noqa: E402
from loom.nodes.supervisor import Supervisor  # noqa: E402
from loom.ros.lifecycle import call  # noqa: E402
from loom.ros.node import LoomNode  # noqa: E402
from loom.ros.qos import subscription_profile  # noqa: E402

Until = Callable[..., None]
CALL_S = 15.0


class Worker(LoomNode):
    """Writes down its steps; may be told to fail."""

    broken = False
    steps: list[str]

    def configure(self) -> None:
        if self.broken:
            raise DeviceError('no camera 7')

    def activate(self) -> None:
        self.steps.append(f'+{self.get_name()}')

    def deactivate(self) -> None:
        self.steps.append(f'-{self.get_name()}')


class First(Worker):
    """A node."""

    __module__ = 'nodes.first'


class Second(Worker):
    """Another node."""

    __module__ = 'nodes.second'


class Scene:
    """Two nodes, a supervisor and a guest that asks it."""

    def __init__(self, ros: Any, until: Until) -> None:
        self.ros, self.until = ros, until
        self.steps: list[str] = []
        self.nodes = [ros.add(First), ros.add(Second)]
        for node in self.nodes:
            node.steps = self.steps
        self.guest = ros.add(rclpy.create_node, 'guest')
        self.health: list[Health] = []
        self.guest.create_subscription(Health, 'loom/health', self.health.append, subscription_profile(STATE))

    def supervise(self, **parameters: Any) -> Supervisor:
        values = {'nodes': ['first', 'second'], 'exit_on_failure': False, 'health_period_s': 0.2, **parameters}
        supervisor: Supervisor = self.ros.add(
            Supervisor, parameter_overrides=[Parameter(name, value=value) for name, value in values.items()])
        return supervisor

    def expect(self, mode: str, *states: str) -> None:
        self.until(lambda: self.health and (self.health[-1].mode, tuple(self.health[-1].states)) == (mode, states),
                   f'health is not {mode} {states} but {self.health[-1:]}', 20)

    def manage(self, number: int) -> ManageNodes.Response:
        client = self.guest.create_client(ManageNodes, 'supervisor/manage_nodes')
        return call(client, ManageNodes.Request(command=number), CALL_S)

    def set_mode(self, name: str) -> SetMode.Response:
        return call(self.guest.create_client(SetMode, 'supervisor/set_mode'), SetMode.Request(mode=name), CALL_S)

    def is_active(self) -> Trigger.Response:
        return call(self.guest.create_client(Trigger, 'supervisor/is_active'), Trigger.Request(), CALL_S)


@pytest.fixture
def scene(ros: Any, until: Until) -> Scene:
    return Scene(ros, until)


def test_it_brings_up_in_order_and_obeys_its_services(scene: Scene) -> None:
    scene.supervise()
    scene.expect('active', 'active', 'active')
    assert scene.steps == ['+first', '+second'] and scene.health[-1].level == Health.OK
    assert scene.is_active().success
    assert scene.manage(ManageNodes.Request.PAUSE).success
    scene.expect('paused', 'inactive', 'inactive')
    assert not scene.is_active().success and scene.is_active().message == 'paused'
    assert scene.set_mode('active').success
    assert scene.set_mode('paused').success and scene.manage(ManageNodes.Request.RESUME).success
    assert scene.manage(ManageNodes.Request.SHUTDOWN).success
    scene.expect('stopped', 'unconfigured', 'unconfigured')
    assert scene.steps[-2:] == ['-second', '-first']
    assert scene.manage(ManageNodes.Request.STARTUP).success
    scene.expect('active', 'active', 'active')


def test_what_it_cannot_do_is_answered_with_code_and_reason(scene: Scene) -> None:
    scene.supervise(autostart=False)
    answer = scene.manage(99)
    assert (answer.success, answer.error_code) == (False, 1) and 'got 99' in answer.error_msg
    answer = scene.set_mode('asleep')
    assert (answer.success, answer.error_code) == (False, 1) and "'asleep'" in answer.error_msg
    assert scene.steps == []


def test_a_node_that_fails_takes_the_others_back_and_is_named(scene: Scene) -> None:
    scene.nodes[1].broken = True
    scene.supervise()
    scene.expect('stopped', 'unconfigured', 'unconfigured')
    scene.until(lambda: 'second could not configure' in scene.health[-1].message, f'{scene.health[-1].message}')
    assert scene.health[-1].level == Health.DOWN and '+first' not in scene.steps
    assert 'no camera 7' in scene.nodes[1].stopped_because
    answer = scene.manage(ManageNodes.Request.STARTUP)
    assert (answer.success, answer.error_code) == (False, 2) and 'second' in answer.error_msg
    scene.nodes[1].broken = False
    assert scene.manage(ManageNodes.Request.STARTUP).success
    scene.expect('active', 'active', 'active')


def test_a_node_that_is_not_there_is_named_in_time(scene: Scene) -> None:
    scene.supervise(nodes=['first', 'ghost'], transition_timeout_s=1.0)
    scene.until(lambda: scene.health and 'ghost' in scene.health[-1].message, f'{scene.health[-1:]}', 20)
    assert scene.health[-1].level == Health.DOWN
    scene.expect('stopped', 'unconfigured', 'unknown')


def test_a_node_that_stops_by_itself_is_seen(scene: Scene) -> None:
    scene.supervise()
    scene.expect('active', 'active', 'active')
    scene.nodes[0].trigger_deactivate()
    scene.expect('active', 'inactive', 'active')
    assert scene.health[-1].level == Health.DEGRADED and 'first is inactive' in scene.health[-1].message
