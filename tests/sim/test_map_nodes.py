"""map_server and robot_state latch what does not change, and move what does."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy')

from nav_msgs.msg import OccupancyGrid
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import MarkerArray

from loom.core.delivery import STATE, TRANSFORM
from loom.ros.qos import subscription_profile

Until = Callable[..., None]


def up(ros: Any, node_class: type[Any], **parameters: str) -> Any:
    node = ros.add(node_class, parameter_overrides=[Parameter(n, value=v) for n, v in parameters.items()])
    node.trigger_configure()
    node.trigger_activate()
    return node


def latched(watcher: Node, kind: type[Any], topic: str) -> list[Any]:
    messages: list[Any] = []
    watcher.create_subscription(kind, topic, messages.append, subscription_profile(STATE))
    return messages


def test_the_map_its_places_and_its_origin_are_latched(ros: Any, sim_folder: Path, until: Until) -> None:
    from loom.nodes.map_server import MapServer
    up(ros, MapServer, world=str(sim_folder / 'worlds' / 'home.sdf'))
    watcher = ros.add(Node, 'watcher')
    topics = {'map': OccupancyGrid, 'loom/places': String, 'loom/markers': MarkerArray, 'tf_static': TFMessage}
    heard = {topic: latched(watcher, kind, topic) for topic, kind in topics.items()}
    until(lambda: all(heard.values()), 'everything that is latched')
    grid = heard['map'][0]
    assert (grid.header.frame_id, grid.info.width * grid.info.height) == ('map', len(grid.data))
    assert set(grid.data) == {-1, 0, 100}
    assert json.loads(heard['loom/places'][0].data)['kitchen'] == [2.15, 1.4, 0.0]
    markers = heard['loom/markers'][0].markers
    assert len({(marker.ns, marker.id) for marker in markers}) == len(markers) == 8
    start = heard['tf_static'][0].transforms[0]
    assert (start.header.frame_id, start.child_frame_id) == ('map', 'odom')
    assert start.transform.translation.x == pytest.approx(-2.9)


def test_the_robot_is_described_and_its_links_are_placed(ros: Any, sim_folder: Path, until: Until) -> None:
    from loom.nodes.robot_state import RobotState
    up(ros, RobotState, robot=str(sim_folder / 'robots' / 'loom_bot.urdf'))
    watcher = ros.add(Node, 'watcher')
    description, static = latched(watcher, String, 'robot_description'), latched(watcher, TFMessage, 'tf_static')
    moved: list[TFMessage] = []
    watcher.create_subscription(TFMessage, 'tf', moved.append, subscription_profile(TRANSFORM))
    until(lambda: description and static)
    assert '<robot name="loom_bot">' in description[0].data
    placed = {t.child_frame_id: t for t in static[0].transforms}
    assert placed['laser_link'].transform.translation.z == pytest.approx(0.2)
    joints = watcher.create_publisher(JointState, 'joint_states', 5)
    message = JointState(name=['left_wheel_joint', 'unknown_joint'], position=[math.pi, 1.0])

    def turn() -> bool:
        message.header.stamp.sec += 1
        joints.publish(message)
        return bool(moved)
    until(turn, 'the wheel is placed')
    wheel = moved[0].transforms[0]
    assert [t.child_frame_id for t in moved[0].transforms] == ['left_wheel_link']
    assert abs(wheel.transform.rotation.y) == pytest.approx(1.0)


def test_static_and_moving_links_make_one_tree(ros: Any, sim_folder: Path, until: Until) -> None:
    from loom.nodes.robot_state import RobotState
    node = up(ros, RobotState, robot=str(sim_folder / 'robots' / 'loom_bot.urdf'))
    links = set(node._skeleton.links) - {node._skeleton.root}
    assert links == {joint.child for joint in node._skeleton.joints}


@pytest.mark.parametrize(('text', 'error'), [
    ('<!DOCTYPE robot><robot name="r"/>', 'must not declare a DOCTYPE'), ('<robot name="r"', 'well-formed XML')])
def test_a_bad_robot_is_refused(ros: Any, tmp_path: Path, text: str, error: str) -> None:
    from loom.nodes.robot_state import RobotState
    file = tmp_path / 'bad.urdf'
    file.write_text(text)
    assert error in up(ros, RobotState, robot=str(file)).stopped_because


def test_an_unknown_world_is_refused_with_those_there_are(ros: Any) -> None:
    from loom.nodes.map_server import MapServer
    assert "no file 'hom'" in up(ros, MapServer, world='hom').stopped_because
