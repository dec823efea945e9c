"""safety on real topics: what it stops, what it passes, and what it leaves behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

rclpy = pytest.importorskip('rclpy')

from geometry_msgs.msg import TransformStamped, Twist  # noqa: E402
from loom_msgs.msg import Hop, MotionProposal, SafetyDecision  # noqa: E402
from rclpy.node import Node  # noqa: E402
from sensor_msgs.msg import LaserScan  # noqa: E402
from std_msgs.msg import Bool  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402
from tf2_msgs.msg import TFMessage  # noqa: E402

from loom.core.delivery import COMMAND, SENSOR, STANDARD, STATE  # noqa: E402
from loom.nodes.safety import Safety  # noqa: E402
from loom.ros.latency import hear_latency  # noqa: E402
from loom.ros.qos import publisher_profile, subscription_profile  # noqa: E402
from loom.ros.service_call import call  # noqa: E402

Until = Callable[..., None]


class Base:
    """The robot around the kernel: wheels that write down, a lidar, and an agent that proposes."""

    def __init__(self, ros: Any) -> None:
        self.safety = ros.add(Safety)
        self.node: Node = ros.add(Node, 'base')
        self.speeds: list[float] = []
        self.decisions: list[SafetyDecision] = []
        self.wall_m = 5.0
        self.wanted: float | None = 0.3
        self.sequence = 0
        node = self.node
        self.scans = node.create_publisher(LaserScan, 'scan', publisher_profile(SENSOR))
        self.proposals = node.create_publisher(MotionProposal, 'loom/motion/proposed', publisher_profile(COMMAND))
        self.frames = node.create_publisher(TFMessage, 'tf_static', publisher_profile(STATE))
        self.estop = node.create_publisher(Bool, 'estop', publisher_profile(STATE))
        node.create_subscription(Twist, 'cmd_vel', lambda m: self.speeds.append(m.linear.x),
                                 subscription_profile(COMMAND))
        node.create_subscription(SafetyDecision, 'loom/motion/decision', self.decisions.append,
                                 subscription_profile(STANDARD))
        frame = TransformStamped(child_frame_id='laser_link')
        frame.header.frame_id, frame.transform.rotation.w = 'base_link', 1.0
        self.frames.publish(TFMessage(transforms=[frame]))
        node.create_timer(0.05, self._tick)
        self.safety.trigger_configure()
        self.safety.trigger_activate()

    def _tick(self) -> None:
        now = self.node.get_clock().now().to_msg()
        if self.wall_m > 0:
            scan = LaserScan(angle_min=-0.2, angle_max=0.2, angle_increment=0.1, range_min=0.1, range_max=8.0,
                             ranges=[self.wall_m] * 5)
            scan.header.stamp, scan.header.frame_id = now, 'laser_link'
            self.scans.publish(scan)
        if self.wanted is not None:
            self.sequence += 1
            proposal = MotionProposal(stamp=now, origin=now, agent='navigator', sequence=self.sequence, lane=20)
            proposal.time_to_live.nanosec = 400_000_000
            proposal.twist.linear.x = self.wanted
            self.proposals.publish(proposal)

    def codes(self) -> set[int]:
        return {decision.code for decision in self.decisions[-5:]}

    def service(self, name: str) -> Any:
        client: Any = self.node.create_client(Trigger, name)
        return call(client, Trigger.Request(), 5.0)


@pytest.fixture
def base(ros: Any, until: Until) -> Iterator[Base]:
    made = Base(ros)
    until(lambda: made.speeds and made.speeds[-1] > 0.29, 'the base does not move')
    yield made


def test_it_passes_a_proposal_with_its_origin(base: Base, until: Until) -> None:
    until(lambda: base.codes() == {SafetyDecision.OK})
    decision = base.decisions[-1]
    assert (decision.agent, decision.requested.linear.x) == ('navigator', 0.3)
    assert decision.origin.sec > 0
    assert all(b - a <= 0.8 * 0.11 + 1e-6 for a, b in zip(base.speeds, base.speeds[1:]))


def test_silence_stops_the_base(base: Base, until: Until) -> None:
    base.wanted = None
    # The command and the decision about it are two messages.
    until(lambda: base.speeds[-1] == 0.0 and SafetyDecision.COMMAND_TIMEOUT in {d.code for d in base.decisions})


def test_a_wall_stops_the_base(base: Base, until: Until) -> None:
    base.wall_m = 0.2
    until(lambda: base.speeds[-1] == 0.0 and SafetyDecision.OBSTACLE in base.codes())
    until(lambda: 'the way ahead is free for 0.00 m only' in base.decisions[-1].reason)


def test_a_silent_lidar_stops_the_base(base: Base, until: Until) -> None:
    base.wall_m = 0.0
    until(lambda: base.speeds[-1] == 0.0 and SafetyDecision.STALE_SENSOR in base.codes())


def test_estop_by_topic_and_service_stays_until_it_is_reset(base: Base, until: Until) -> None:
    base.estop.publish(Bool(data=True))
    until(lambda: base.codes() == {SafetyDecision.EMERGENCY_STOP})
    base.estop.publish(Bool(data=False))
    count = len(base.decisions)
    until(lambda: len(base.decisions) > count + 10)
    assert base.codes() == {SafetyDecision.EMERGENCY_STOP} and set(base.speeds[-5:]) == {0.0}
    assert base.service('safety/reset_estop').success
    until(lambda: base.speeds[-1] > 0.2)
    assert base.service('safety/estop').success
    until(lambda: base.speeds[-1] == 0.0)
    assert 'service safety/estop' in base.decisions[-1].reason


def test_an_estop_that_was_pressed_before_it_started_counts(base: Base, until: Until) -> None:
    base.safety.trigger_deactivate()
    base.estop.publish(Bool(data=True))
    base.safety.trigger_cleanup()
    base.safety.trigger_configure()
    base.safety.trigger_activate()
    until(lambda: base.codes() == {SafetyDecision.EMERGENCY_STOP})


def test_another_publisher_of_cmd_vel_stops_the_base(base: Base, until: Until) -> None:
    other = base.node.create_publisher(Twist, 'cmd_vel', 10)
    until(lambda: base.codes() == {SafetyDecision.FOREIGN_PUBLISHER})
    assert base.speeds[-1] == 0.0
    base.node.destroy_publisher(other)
    until(lambda: base.speeds[-1] > 0.2)


@pytest.mark.parametrize(('field', 'value'), [('linear', float('nan')), ('linear', float('inf'))])
def test_what_is_not_finite_never_reaches_the_wheels(base: Base, until: Until, field: str, value: float) -> None:
    base.wanted = value
    until(lambda: any(d.code == SafetyDecision.REFUSED for d in base.decisions))
    until(lambda: base.speeds[-1] == 0.0)
    assert all(speed == speed and abs(speed) <= 0.6 for speed in base.speeds)


def test_deactivating_stops_the_base(base: Base, until: Until) -> None:
    base.safety.trigger_deactivate()
    until(lambda: base.speeds[-1] == 0.0)
    count = len(base.speeds)
    time.sleep(0.2)
    assert len(base.speeds) == count


def test_a_chain_ends_with_the_command(base: Base, ros: Any, until: Until) -> None:
    traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    latencies = hear_latency(base.node)
    base.wanted = None
    until(lambda: base.proposals.get_subscription_count())

    def propose(origin_ns: int) -> None:
        base.sequence += 1
        proposal = MotionProposal(stamp=base.node.get_clock().now().to_msg(), agent='guard', sequence=base.sequence,
                                  lane=30, traceparent=traceparent, sent_ns=time.time_ns(), origin_ns=origin_ns,
                                  path=[Hop(stage='guard', transport_us=1000, queue_us=2000, compute_us=3000)])
        proposal.time_to_live.nanosec = 400_000_000
        base.proposals.publish(proposal)

    def reactions() -> list[SafetyDecision]:
        return [decision for decision in base.decisions if decision.traceparent == traceparent]
    propose(time.time_ns() - 6_000_000)
    until(lambda: reactions())
    decision, = reactions()
    assert [hop.stage for hop in decision.path] == ['guard', 'safety'] and decision.sent_ns > decision.origin_ns > 0
    whole_us = (decision.sent_ns - decision.origin_ns) // 1000
    assert sum(h.transport_us + h.queue_us + h.compute_us for h in decision.path) == pytest.approx(whole_us, abs=1000)
    until(lambda: latencies)
    assert latencies['guard > safety'].count == 1 and latencies['guard > safety'].p50_ms >= 6
    # What reacts to nothing new is in its trace, and is no chain.
    propose(0)
    until(lambda: len(reactions()) == 2)
    assert reactions()[1].origin_ns == 0 and not reactions()[1].path
