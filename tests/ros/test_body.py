"""The robot's body on topics: what it knows, and what it says when that is old or missing."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy')

from geometry_msgs.msg import TransformStamped  # noqa: E402
from loom_msgs.msg import MotionProposal, SafetyDecision  # noqa: E402
from nav_msgs.msg import OccupancyGrid, Path  # noqa: E402
from rclpy.node import Node  # noqa: E402
from sensor_msgs.msg import CameraInfo, Image, LaserScan  # noqa: E402
from std_msgs.msg import String  # noqa: E402
from tf2_msgs.msg import TFMessage  # noqa: E402

from loom.act.body import Motion  # noqa: E402
from loom.core.delivery import COMMAND, SENSOR, STANDARD, STATE, TRANSFORM, Delivery  # noqa: E402
from loom.core.errors import DeviceError  # noqa: E402
from loom.core.event import Event, Hop  # noqa: E402
from loom.core.trace import continued  # noqa: E402
from loom.ros.body import RosBody  # noqa: E402
from loom.ros.convert import stamp_to_ns  # noqa: E402
from loom.ros.node import LoomNode  # noqa: E402
from loom.ros.qos import publisher_profile, subscription_profile  # noqa: E402

Until = Callable[..., None]


class Host(LoomNode):
    """A node with a body."""

    __module__ = 'nodes.host'

    def configure(self) -> None:
        self.body = RosBody(self)


class Senses:
    """Publishes what a robot senses."""

    def __init__(self, ros: Any) -> None:
        self.host = ros.add(Host)
        self.node: Node = ros.add(Node, 'senses')
        self.publishers: dict[str, Any] = {}
        self.host.trigger_configure()
        self.host.trigger_activate()
        self.body: RosBody = self.host.body

    def send(self, topic: str, message: Any, delivery: Delivery = SENSOR, until: Until | None = None) -> None:
        if topic not in self.publishers:
            self.publishers[topic] = self.node.create_publisher(type(message), topic, publisher_profile(delivery))
        if until:
            until(lambda: self.publishers[topic].get_subscription_count())
        self.publishers[topic].publish(message)

    def stamped(self, message: Any, frame: str, ago_s: float = 0.0) -> Any:
        message.header.frame_id = frame
        now_ns = self.node.get_clock().now().nanoseconds - round(ago_s * 1e9)
        message.header.stamp = rclpy.time.Time(nanoseconds=now_ns).to_msg()
        return message

    def frame(self, parent: str, child: str, x: float, yaw: float) -> TransformStamped:
        frame = self.stamped(TransformStamped(child_frame_id=child), parent)
        frame.transform.translation.x = x
        frame.transform.rotation.z, frame.transform.rotation.w = math.sin(yaw / 2), math.cos(yaw / 2)
        return frame


@pytest.fixture
def senses(ros: Any) -> Iterator[Senses]:
    yield Senses(ros)


def holds(answer: Callable[[], Any]) -> bool:
    """Whether the body can answer."""
    try:
        answer()
    except DeviceError:
        return False
    return True


def test_what_never_came_is_said(senses: Senses) -> None:
    for ask, rule in ((senses.body.pose, "no transform from 'base_link' up to 'map'"),
                      (senses.body.scan, "nothing has come on 'scan' yet"), (senses.body.grid, "'map'"),
                      (senses.body.places, "'loom/places'"), (senses.body.sight, 'image_raw')):
        with pytest.raises(DeviceError, match=rule):
            ask()
    assert len(senses.body.relief().points) == 0 and senses.body.halted() == ''


def test_the_pose_is_composed_and_grows_old(senses: Senses, until: Until) -> None:
    senses.send('tf_static', TFMessage(transforms=[senses.frame('map', 'odom', 1.0, math.pi / 2)]), STATE)
    senses.send('tf', TFMessage(transforms=[senses.frame('odom', 'base_link', 2.0, 0.0)]), TRANSFORM, until)
    until(lambda: holds(senses.body.pose))
    pose = senses.body.pose()
    assert (pose.x, pose.y, pose.yaw) == pytest.approx((1.0, 2.0, math.pi / 2))
    until(lambda: not holds(senses.body.pose))
    with pytest.raises(DeviceError, match='odometry must be at most 0.5 s old, it is 0.5'):
        senses.body.pose()


def test_the_scan_is_points_in_base_link(senses: Senses, until: Until) -> None:
    senses.send('tf_static', TFMessage(transforms=[senses.frame('base_link', 'laser_link', 0.1, math.pi)]), STATE)
    scan = LaserScan(angle_min=0.0, angle_increment=math.pi / 2, range_min=0.1, range_max=8.0,
                     ranges=[1.0, math.inf, 2.0, 0.05])
    senses.send('scan', senses.stamped(scan, 'laser_link'), until=until)
    until(lambda: holds(senses.body.scan))
    assert senses.body.scan().points == pytest.approx(np.array([[-0.9, 0.0], [2.1, 0.0]]), abs=1e-6)


def test_an_old_scan_is_refused(senses: Senses, until: Until) -> None:
    senses.send('scan', senses.stamped(LaserScan(), 'laser_link', ago_s=3.0), until=until)
    until(lambda: senses.body._newest)
    with pytest.raises(DeviceError, match='scan must be at most 0.5 s old, it is 3.0'):
        senses.body.scan()


def test_map_and_places(senses: Senses, until: Until) -> None:
    grid = OccupancyGrid(data=[0, 100, -1, 0, 0, 0])
    grid.info.resolution, grid.info.width, grid.info.height, grid.info.origin.position.x = 0.5, 3, 2, -1.0
    senses.send('map', grid, STATE)
    senses.send('loom/places', String(data='{"kitchen": [1, 2, 0.5]}'), STATE)
    until(lambda: holds(senses.body.grid) and holds(senses.body.places))
    found = senses.body.grid()
    assert found.occupancy.tolist() == [[0, 100, -1], [0, 0, 0]]
    assert (found.resolution_m, found.origin_x) == (0.5, -1.0)
    assert senses.body.places() == {'kitchen': (1.0, 2.0, 0.5)}


def test_pictures_and_depth(senses: Senses, until: Until) -> None:
    colour = Image(height=4, width=4, step=12, encoding='rgb8', data=[7] * 48)
    depth = Image(height=4, width=4, step=16, encoding='32FC1')
    depth.data = np.full(16, 0.5, np.float32).tobytes()
    frames = [senses.frame('base_link', 'camera', 0.2, 0.0)]
    frames[0].transform.rotation.x, frames[0].transform.rotation.y = -0.5, 0.5
    frames[0].transform.rotation.z, frames[0].transform.rotation.w = -0.5, 0.5
    senses.send('tf_static', TFMessage(transforms=frames), STATE)
    senses.send('camera/front/camera_info', CameraInfo(k=[4.0, 0, 2.0, 0, 4.0, 2.0, 0, 0, 1.0]), until=until)
    senses.send('camera/front/image_raw', senses.stamped(colour, 'camera'), until=until)
    senses.send('camera/front/depth/image_raw', senses.stamped(depth, 'camera'), until=until)
    until(lambda: len(senses.body._newest) == 3)
    relief, sight = senses.body.relief(), senses.body.sight()
    assert relief.points == pytest.approx(np.array([[0.7, 0.25]]))
    assert senses.body.relief() is relief
    assert sight.picture.pixels.shape == (4, 4, 3) and sight.lens.fx == 4.0
    assert sight.depth is not None and sight.depth[0, 0] == 0.5


def test_looking_ends_with_a_new_depth_picture_or_in_time(senses: Senses, until: Until) -> None:
    depth = senses.stamped(Image(), 'camera')
    senses.send('camera/front/depth/image_raw', depth, until=until)

    async def look() -> float:
        loop = asyncio.get_running_loop()
        await senses.body.look(0.01)
        began = loop.time()
        loop.call_later(0.05, senses.send, 'camera/front/depth/image_raw', depth)
        await senses.body.look(10.0)
        return loop.time() - began
    assert asyncio.run(look()) < 5.0


def test_proposals_and_paths_go_out(senses: Senses, until: Until) -> None:
    proposals: list[MotionProposal] = []
    paths: list[Path] = []
    senses.node.create_subscription(MotionProposal, 'loom/motion/proposed', proposals.append,
                                    subscription_profile(COMMAND))
    senses.node.create_subscription(Path, 'plan', paths.append, subscription_profile(STATE))
    until(lambda: senses.node.count_publishers('loom/motion/proposed') and senses.host.count_subscribers('plan'))

    def proposed() -> bool:
        senses.body.propose(Motion(0.2, -0.1, 'test', 'navigator', origin_ns=5))
        return len(proposals) > 1
    until(proposed)
    first, second = proposals[:2]
    assert (first.agent, first.twist.linear.x, first.origin.nanosec, first.lane) == ('navigator', 0.2, 5, 20)
    assert second.sequence > first.sequence and first.traceparent.startswith('00-')
    senses.body.show_path(np.array([[0.0, 1.0], [2.0, 3.0]]))
    until(lambda: paths)
    assert [pose.pose.position.y for pose in paths[0].poses] == [1.0, 3.0]


def test_a_proposal_names_what_it_reacts_to(senses: Senses, until: Until) -> None:
    proposals: list[MotionProposal] = []
    senses.node.create_subscription(MotionProposal, 'loom/motion/proposed', proposals.append,
                                    subscription_profile(COMMAND))
    depth = senses.stamped(Image(height=1, width=1, step=4, encoding='32FC1', data=[0] * 4), 'camera', ago_s=0.2)
    seen_ns = stamp_to_ns(depth.header.stamp)
    senses.send('tf_static', TFMessage(transforms=[senses.frame('base_link', 'camera', 0.2, 0.0)]), STATE)
    senses.send('camera/front/camera_info', CameraInfo(k=[4.0, 0, 2.0, 0, 4.0, 2.0, 0, 0, 1.0]), until=until)
    senses.send('camera/front/depth/image_raw', depth, until=until)
    until(lambda: holds(senses.body.relief) and senses.body.relief().stamp_ns == seen_ns)
    until(lambda: senses.host.count_subscribers('loom/motion/proposed'))
    event = Event.create('a.b', source='x', stamp_ns=1, origin_ns=77, path=(Hop('salience', 1, 2, 3),))

    def propose(intent: str, origin_ns: int = 0) -> MotionProposal:
        known = len(proposals)
        senses.body.propose(Motion(intent=intent, agent='guard', origin_ns=origin_ns))
        until(lambda: len(proposals) > known)
        return proposals[-1]
    with continued(event.traceparent, cause=event.arrived(5, 6)):
        first, later, picture = propose('first'), propose('later'), propose('by picture', seen_ns)
    assert first.origin_ns == 77 and [hop.stage for hop in first.path] == ['salience', 'guard']
    assert first.path[1].compute_us > 0 and first.sent_ns > 0 and first.traceparent == event.traceparent
    assert later.origin_ns == 0 and not later.path and later.traceparent == event.traceparent
    assert picture.origin_ns == seen_ns and [hop.stage for hop in picture.path] == ['guard']
    assert picture.path[0].transport_us >= 200_000 and propose('by nothing').origin_ns == 0


def test_an_emergency_stop_is_known(senses: Senses, until: Until) -> None:
    decision = SafetyDecision(code=SafetyDecision.EMERGENCY_STOP, reason='topic estop')
    senses.send('loom/motion/decision', decision, STANDARD, until)
    until(lambda: senses.body.halted() == 'topic estop')
