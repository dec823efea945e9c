"""DDS events become health: a WARN part that names topic and policy, and one event for each change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

rclpy = pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus  # noqa: E402
from rclpy.context import Context  # noqa: E402
from rclpy.duration import Duration  # noqa: E402
from rclpy.qos import QoSProfile, QoSReliabilityPolicy  # noqa: E402
from rclpy.signals import SignalHandlerOptions  # noqa: E402
from std_msgs.msg import Int32, String  # noqa: E402

from loom.core.delivery import STANDARD, Delivery  # noqa: E402
from loom.core.event import Event  # noqa: E402
from loom.ros.bus import RosBus  # noqa: E402
from loom.ros.node import LoomNode  # noqa: E402
from loom.ros.participant import hold  # noqa: E402

Until = Callable[..., None]
BEST_EFFORT = QoSProfile(depth=5, reliability=QoSReliabilityPolicy.BEST_EFFORT)
LIVE = Delivery('LIVE', deadline_s=0.2, lease_s=0.4)
# Publishes ten times a second until it is killed.
VICTIM = """
import rclpy, time
from std_msgs.msg import String
from loom.core.delivery import Delivery
from loom.ros.qos import publisher_profile
rclpy.init()
node = rclpy.create_node('victim', namespace={namespace!r})
publisher = node.create_publisher(String, 'live', publisher_profile(Delivery('LIVE', deadline_s=0.2, lease_s=0.4)))
while True:
    publisher.publish(String(data='x'))
    time.sleep(0.1)
"""


class Robot(LoomNode):
    """Hears one topic of each kind."""

    __module__ = 'nodes.robot'

    def configure(self) -> None:
        self.heard: list[str] = []
        self.publisher(String, 'told', STANDARD)
        for topic, delivery in (('plain', STANDARD), ('live', LIVE)):
            self.subscribe(String, topic, lambda message: self.heard.append(message.data), delivery)


class World:
    """The node under test, and what others see of its health."""

    def __init__(self, ros: Any, until: Until) -> None:
        self.ros, self.until = ros, until
        self.parts: dict[str, DiagnosticStatus] = {}
        self.events: list[Any] = []
        watcher = ros.add(rclpy.create_node, 'watcher')
        watcher.create_subscription(DiagnosticArray, '/diagnostics', self._diagnosed, 10)
        self.bus = RosBus(watcher)
        self.bus.subscribe('health.dds', lambda event: self.events.append(event.data))
        self.robot = ros.add(Robot)
        self.name = f'{ros.namespace}/{self.robot.get_name()}: dds'
        self.robot.trigger_configure()
        self.robot.trigger_activate()

    def _diagnosed(self, array: DiagnosticArray) -> None:
        self.parts.update({status.name: status for status in array.status})

    def expect(self, kind: str, topic: str, policy: str) -> None:
        """Waits for the WARN part and the event; both must name topic and policy."""
        topic = f'/{self.ros.namespace}/{topic}'
        self.until(lambda: self.name in self.parts and policy in self.parts[self.name].message
                   and topic in self.parts[self.name].message, f'no WARN about {policy}: {self.parts}')
        assert self.parts[self.name].level == DiagnosticStatus.WARN
        expected = {'kind': kind, 'topic': topic, 'policy': policy}
        self.until(lambda: expected in self.events, f'{expected} not in {self.events}')
        assert self.events.count(expected) == 1


@pytest.fixture
def world(ros: Any, until: Until) -> World:
    return World(ros, until)


def test_a_publisher_that_promises_less_is_named(world: World) -> None:
    world.ros.add(rclpy.create_node, 'foreign').create_publisher(String, 'plain', BEST_EFFORT)
    world.expect('incompatible_qos', 'plain', 'RELIABILITY')


def test_a_subscription_that_asks_for_more_is_named(world: World) -> None:
    asking = QoSProfile(depth=5, deadline=Duration(seconds=0.1))
    world.ros.add(rclpy.create_node, 'foreign').create_subscription(String, 'told', print, asking)
    world.expect('incompatible_qos', 'told', 'DEADLINE')


def test_a_missed_deadline_is_named(world: World) -> None:
    from loom.ros.qos import publisher_profile
    source = world.ros.add(rclpy.create_node, 'source').create_publisher(String, 'live', publisher_profile(LIVE))
    world.until(lambda: source.publish(String(data='x')) or world.robot.heard)
    world.expect('deadline_missed', 'live', 'DEADLINE')


def test_a_killed_publisher_is_named(world: World, program: Callable[..., Any]) -> None:
    victim = program(VICTIM.format(namespace=world.ros.namespace))
    world.until(lambda: world.robot.heard, 'the victim does not publish')
    victim.process.kill()
    world.expect('liveliness_lost', 'live', 'LIVELINESS')


def test_another_type_on_the_topic_is_named_and_not_delivered(world: World) -> None:
    # One participant has one type for each topic: the foreigner needs a context of its own.
    context = Context()
    rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
    foreign = rclpy.create_node('foreign', namespace=world.ros.namespace, context=context)
    try:
        publisher = foreign.create_publisher(Int32, 'plain', 10)
        publisher.publish(Int32(data=1))
        world.expect('incompatible_type', 'plain', 'std_msgs/msg/Int32, std_msgs/msg/String')
        assert not world.robot.heard
    finally:
        hold(context)
        foreign.destroy_node()


def test_all_well_says_nothing(world: World, until: Until) -> None:
    sender = RosBus(world.ros.add(rclpy.create_node, 'sender'))
    world.robot.listen('test.*', lambda event: world.robot.heard.append(event.type))
    world.robot.trigger_deactivate()
    world.robot.trigger_activate()
    until(lambda: sender.publish(Event.create('test.one', source='s', stamp_ns=1)) or world.robot.heard)
    assert world.robot.dds.parts() == [] and not world.events
