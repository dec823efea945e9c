"""A robot as it stands after `ros2 launch loom bringup.launch.py`, seen through the commands people type."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest

from loom.ros.plan import start_order

TOPICS = {
    '/clock': 'rosgraph_msgs/msg/Clock', '/camera/front/image_raw': 'sensor_msgs/msg/Image',
    '/camera/front/depth/image_raw': 'sensor_msgs/msg/Image', '/camera/front/camera_info': 'sensor_msgs/msg/CameraInfo',
    '/scan': 'sensor_msgs/msg/LaserScan', '/imu/data_raw': 'sensor_msgs/msg/Imu', '/odom': 'nav_msgs/msg/Odometry',
    '/joint_states': 'sensor_msgs/msg/JointState', '/robot_description': 'std_msgs/msg/String',
    '/tf': 'tf2_msgs/msg/TFMessage', '/tf_static': 'tf2_msgs/msg/TFMessage', '/map': 'nav_msgs/msg/OccupancyGrid',
    '/cmd_vel': 'geometry_msgs/msg/Twist', '/estop': 'std_msgs/msg/Bool', '/plan': 'nav_msgs/msg/Path',
    '/diagnostics': 'diagnostic_msgs/msg/DiagnosticArray', '/diagnostics_agg': 'diagnostic_msgs/msg/DiagnosticArray',
    '/loom/markers': 'visualization_msgs/msg/MarkerArray', '/loom/directory': 'loom_msgs/msg/Directory',
    '/loom/health': 'loom_msgs/msg/Health', '/rosout': 'rcl_interfaces/msg/Log'}


def typed(*command: str, timeout_s: float = 30.0) -> str:
    """The output of a command, which must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_node_is_active(robot: Any, table: Any) -> None:
    health = robot.client.health()
    assert list(health.nodes) == start_order(table, 'mujoco')
    assert set(health.states) == {'active'}


def test_topics_have_the_types_that_tools_expect(robot: Any) -> None:
    lines = typed('ros2', 'topic', 'list', '-t').splitlines()
    found = dict(re.fullmatch(r'(\S+) \[(.+)\]', line).groups() for line in lines)  # type: ignore[union-attr]
    assert {topic: found.get(topic) for topic in TOPICS} == TOPICS


def test_the_scan_comes_at_a_rate(robot: Any) -> None:
    command = ['timeout', '-s', 'INT', '6', 'ros2', 'topic', 'hz', '/scan']
    shown = subprocess.run(command, capture_output=True, text=True)
    assert re.search(r'average rate: \d+\.\d+', shown.stdout), shown.stdout + shown.stderr


def test_node_info_shows_who_moves_the_robot(robot: Any) -> None:
    shown = typed('ros2', 'node', 'info', '/safety')
    publishers = shown.partition('Publishers:')[2].partition('Service Servers:')[0]
    assert '/cmd_vel: geometry_msgs/msg/Twist' in publishers
    assert '/safety/estop: std_srvs/srv/Trigger' in shown
    assert len(robot.client.node.get_publishers_info_by_topic('cmd_vel')) == 1


@pytest.mark.parametrize('node', ['model_router', 'safety', 'simulator'])
def test_lifecycle_get(robot: Any, node: str) -> None:
    assert typed('ros2', 'lifecycle', 'get', f'/{node}').strip() == 'active [3]'


def test_parameters_have_descriptions_and_refuse_what_is_out_of_range(robot: Any) -> None:
    assert 'max_speed' in typed('ros2', 'param', 'list', '/safety')
    command = ['ros2', 'param', 'set', '/simulator', 'scan_rate_hz', '5000.0']
    refused = subprocess.run(command, capture_output=True, text=True)
    assert 'Set parameter successful' not in refused.stdout


def test_actions_and_services_can_be_listed(robot: Any) -> None:
    actions = typed('ros2', 'action', 'list')
    assert '/action_broker/invoke' in actions and '/model_router/infer' in actions
    services = typed('ros2', 'service', 'list')
    wanted = {'/supervisor/manage_nodes', '/reset_simulation', '/get_entity_state', '/spawn_entity', '/step_simulation'}
    assert wanted <= set(services.splitlines())


def test_a_capability_is_called_as_a_ros_action(robot: Any) -> None:
    shown = typed('ros2', 'action', 'send_goal', '/action_broker/invoke', 'loom_msgs/action/Invoke',
                  "{capability: where_am_i, arguments: '{}'}")
    assert 'SUCCEEDED' in shown and 'error_code: 0' in shown
    command = ['ros2', 'action', 'send_goal', '/action_broker/invoke', 'loom_msgs/action/Invoke',
               "{capability: fly, arguments: '{}'}"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=30).stdout
    assert 'ABORTED' in shown and 'error_code: 101' in shown and "no capability named ''fly''" in shown


def test_loom_list_names_nodes_agents_and_capabilities(robot: Any) -> None:
    shown = typed('loom', 'list')
    for word in ('/safety', 'active', 'navigator', 'go_to', 'commander', 'lookout', 'look', 'speaker', 'say'):
        assert word in shown


def test_loom_say_is_answered(robot: Any) -> None:
    assert 'robot:' in typed('loom', 'say', 'where are you')
