"""Gazebo and Isaac Sim get the same names, types and geometry as the simulator in process."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
import yaml

from loom.sim import usd
from loom.sim.robot import Robot

ROOT = Path(__file__).resolve().parents[2]
BRIDGE = yaml.safe_load((ROOT / 'config' / 'gazebo' / 'bridge.yaml').read_text())
ISAAC = yaml.safe_load((ROOT / 'config' / 'isaac' / 'topics.yaml').read_text())
# What only the simulator in process has.
OURS_ALONE = {'bumper', 'battery_state'}


@pytest.fixture(scope='module')
def own_topics() -> dict[str, str]:
    """Topic -> message class of the simulator in process."""
    pytest.importorskip('rclpy')
    from loom.ros import simulation_topics
    found = re.findall(r"publisher\((\w+), '([\w/]+)'", inspect.getsource(simulation_topics))
    assert len(found) > 8
    return {topic: kind for kind, topic in found} | {'cmd_vel': 'Twist'}


def test_gazebo_has_the_topics_of_the_simulator(own_topics: dict[str, str]) -> None:
    bridged = {row['ros_topic_name']: row['ros_type_name'].rpartition('/')[2] for row in BRIDGE}
    assert bridged.items() <= own_topics.items()
    assert set(own_topics) - set(bridged) <= OURS_ALONE


def test_isaac_has_the_topics_of_the_simulator(own_topics: dict[str, str]) -> None:
    named = {row['topicName']: row['type'].rpartition('/')[2] for row in ISAAC['topics']}
    assert named.items() <= own_topics.items()
    assert set(own_topics) - set(named) <= OURS_ALONE


def test_only_commands_go_into_gazebo() -> None:
    assert [row['ros_topic_name'] for row in BRIDGE if row['direction'] == 'ROS_TO_GZ'] == ['cmd_vel']


def test_gazebo_names_are_those_of_the_robot(robot: Robot) -> None:
    for row in BRIDGE:
        name = row['gz_topic_name'].lstrip('/')
        parts = {name, name.rpartition('/')[0]} | ({'battery'} if 'battery' in name else set())
        assert name == 'clock' or any(f'>{part}<' in robot.text for part in parts), name


def test_isaac_drives_the_same_wheels(robot: Robot) -> None:
    drive = ISAAC['drive']
    assert (drive['wheelRadius'], drive['wheelDistance']) == (robot.drive.radius_m, robot.drive.separation_m)
    assert drive['jointNames'] == [robot.drive.left_joint, robot.drive.right_joint]


def test_every_world_and_robot_has_its_usd(sim_folder: Path) -> None:
    sources = [*(sim_folder / 'worlds').glob('*.sdf'), *(sim_folder / 'robots').glob('*.urdf')]
    for source in sources:
        file = sim_folder / 'usd' / f'{source.stem}.usdc'
        assert file.read_bytes().startswith(b'PXR-USDC'), f'{file.name} is missing; type: make usd'


def test_a_world_for_the_converter_has_bodies_for_what_moves_only(sim_folder: Path, tmp_path: Path) -> None:
    text = usd._as_mjcf(sim_folder / 'worlds' / 'home.sdf', tmp_path).read_text()
    assert set(re.findall(r'<body name="(\w+)"', text)) == {'red_ball', 'green_cube', 'blue_cylinder', 'parcel'}


def test_a_converter_that_fails_is_named(tmp_path: Path) -> None:
    with pytest.raises(usd.SimulationError, match='false must succeed, ended with 1'):
        usd._run(['false'])
