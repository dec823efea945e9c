"""The shipped views fit what the robot publishes, and each kind of mistake is found."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from loom.core.delivery import SENSOR, STATE, Delivery
from loom.observe.inspection import (
    DISPLAYS,
    PREFIX,
    Offer,
    frame_problems,
    link_problems,
    perspective_problems,
    shown_topics,
    view_problems,
)

ROOT = Path(__file__).resolve().parents[2]
PERSPECTIVE = (ROOT / 'config' / 'rqt' / 'loom.perspective').read_text()
FRAMES = ('map', 'odom', 'base_link', 'laser_link', 'imu_link', 'camera_front_link', 'camera_front_optical_frame')


def offer(type: str, delivery: Delivery) -> Offer:
    return Offer(type, delivery.publish_reliable, delivery.latched)


OFFERS = {
    'map': offer('nav_msgs/msg/OccupancyGrid', STATE),
    'robot_description': offer('std_msgs/msg/String', STATE),
    'scan': offer('sensor_msgs/msg/LaserScan', SENSOR),
    'odom': offer('nav_msgs/msg/Odometry', SENSOR),
    'plan': offer('nav_msgs/msg/Path', STATE),
    'loom/markers': offer('visualization_msgs/msg/MarkerArray', STATE),
    'camera/front/image_raw': offer('sensor_msgs/msg/Image', SENSOR),
    'camera/front/depth/image_raw': offer('sensor_msgs/msg/Image', SENSOR),
}


@pytest.fixture
def view() -> Any:
    return yaml.safe_load((ROOT / 'config' / 'rviz' / 'loom.rviz').read_text())


def displays(view: Any) -> dict[str, Any]:
    return {display['Name']: display for display in view['Visualization Manager']['Displays']}


def test_the_shipped_view_fits_the_robot(view: Any) -> None:
    assert view_problems(view, OFFERS, FRAMES) == []
    assert shown_topics(view) == set(OFFERS)


def test_the_shipped_view_has_the_displays_and_tools_people_expect(view: Any) -> None:
    kinds = {display['Class'].removeprefix(PREFIX) for display in displays(view).values()}
    assert {'TF', 'RobotModel', 'LaserScan', 'Image', 'Camera', 'MarkerArray', 'Map', 'Path', 'Odometry'} <= kinds
    inputs = {(tool.get('Topic') or {}).get('Value') for tool in view['Visualization Manager']['Tools']}
    assert {'goal_pose', 'initialpose', 'clicked_point'} <= inputs


def test_names_are_relative_so_that_a_namespace_works(view: Any) -> None:
    assert not re.search(r'Value: /', yaml.safe_dump(view))


@pytest.mark.parametrize(
    ('change', 'text'),
    [
        (lambda d: d['LaserScan'].update(Class=PREFIX + 'Lidar'), "no display 'rviz_default_plugins/Lidar'"),
        (lambda d: d['LaserScan'].update(Class=PREFIX + 'PointCloud2'), 'this display shows'),
        (lambda d: d['LaserScan']['Topic'].update(Value='scan2'), "nobody publishes 'scan2'"),
        (lambda d: d['Odometry']['Topic'].update({'Durability Policy': 'Transient Local'}), 'is published volatile'),
        (lambda d: d['Map']['Topic'].update({'Durability Policy': 'Volatile'}), 'would be missed'),
    ],
)
def test_each_mistake_in_a_display_is_found(view: Any, change: Any, text: str) -> None:
    changed = copy.deepcopy(view)
    change(displays(changed))
    found = view_problems(changed, OFFERS, FRAMES)
    assert len(found) == 1
    assert text in found[0]


def test_a_best_effort_topic_cannot_be_requested_reliable(view: Any) -> None:
    displays(view)['LaserScan']['Topic']['Reliability Policy'] = 'Reliable'
    assert view_problems(view, OFFERS, FRAMES) == []
    found = view_problems(view, {**OFFERS, 'scan': Offer('sensor_msgs/msg/LaserScan', reliable=False)}, FRAMES)
    assert found == ['LaserScan: scan is published best effort, but reliable is requested: nothing would arrive']


def test_wrong_tools_panels_views_and_frames_are_found(view: Any) -> None:
    manager = view['Visualization Manager']
    manager['Tools'] = [{'Class': 'rviz_default_plugins/Hammer'}, {'Class': 'rviz_default_plugins/SetGoal'}]
    manager['Global Options']['Fixed Frame'] = 'world'
    manager['Views']['Current']['Class'] = 'rviz_default_plugins/Fish'
    view['Panels'].append({'Class': 'rviz_common/Nothing'})
    found = '\n'.join(view_problems(view, OFFERS, FRAMES))
    for part in ("no tool 'rviz_default_plugins/Hammer'", 'needs the topic', "got 'world'", "'rviz_common/Nothing'",
                 "no view 'rviz_default_plugins/Fish'"):
        assert part in found


def test_an_empty_view_has_problems_and_does_not_raise() -> None:
    assert view_problems({}, {}, ())


def test_display_classes_are_the_pinned_ones() -> None:
    assert {'TF', 'RobotModel', 'LaserScan', 'PointCloud2', 'InteractiveMarkers'} <= set(DISPLAYS)
    assert all(kind == '' or re.fullmatch(r'[a-z_]+_msgs/msg/\w+', kind) for kind in DISPLAYS.values())


def test_frames_must_be_joined_with_the_fixed_frame() -> None:
    parents = {'odom': 'map', 'base_link': 'odom', 'laser_link': 'base_link', 'lost': 'other'}
    assert frame_problems(parents, 'map', ['laser_link', 'odom', 'map']) == []
    assert frame_problems(parents, 'odom', ['laser_link', 'map']) == []
    assert frame_problems(parents, 'map', ['lost']) == ["'lost' is not joined with the fixed frame 'map'"]
    assert frame_problems({'a': 'b', 'b': 'a'}, 'map', ['a']) != []


def test_every_link_needs_a_transform() -> None:
    assert link_problems(['base_link', 'laser_link'], ['map', 'base_link', 'laser_link']) == []
    assert link_problems(['arm_link'], ['map']) == ["link 'arm_link' of the description has no transform"]


def test_the_shipped_perspective_is_well_formed() -> None:
    assert perspective_problems(PERSPECTIVE) == []
    assert 'rqt_robot_monitor/RobotMonitor' in PERSPECTIVE


def test_mistakes_in_a_perspective_are_found() -> None:
    assert perspective_problems('{')[0].startswith('not JSON')
    assert perspective_problems('{}') == ['/: a group needs keys and groups', 'pluginmanager has no running-plugins']
    content = json.loads(PERSPECTIVE)
    manager = content['groups']['pluginmanager']
    manager['keys']['running-plugins'] = {'repr': "{'rqt_nothing/Nothing': [1]}", 'type': 'repr'}
    manager['keys']['odd'] = {'type': 3}
    manager['keys']['bare'] = 'True'
    manager['keys']['broken'] = {'repr': '{', 'type': 'repr'}
    manager['keys']['size'] = {'repr(QByteArray.hex)': "QtCore.QByteArray(b'01ff')", 'type': 'repr(QByteArray.hex)'}
    found = '\n'.join(perspective_problems(json.dumps(content)))
    for part in ('/pluginmanager/bare: must be wrapped', '/pluginmanager/broken', "no plugin 'rqt_nothing/Nothing'",
                 'has no group plugin__rqt_nothing__Nothing__1'):
        assert part in found
    assert 'size' not in found


def test_a_perspective_without_a_plugin_list_does_not_raise() -> None:
    content = json.loads(PERSPECTIVE)
    content['groups']['pluginmanager']['keys'] = {}
    assert 'pluginmanager has no running-plugins' in perspective_problems(json.dumps(content))
