"""The robot is read from its URDF, and bad ones are refused."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from loom.core.errors import ConfigError
from loom.sim.robot import Robot
from loom.sim.urdf import parse_robot, read_skeleton

FRAMES = {'base_link', 'laser_link', 'imu_link', 'camera_front_link', 'camera_front_optical_frame', 'left_wheel_link',
          'right_wheel_link', 'microphone_link', 'speaker_link'}


def test_the_robot_has_its_frames_and_sensors(robot: Robot) -> None:
    assert set(robot.links) >= FRAMES
    assert robot.root == 'base_link'
    assert (robot.lidar.samples, robot.lidar.range_max) == (360, 8.0)
    assert (robot.camera.width, robot.camera.height, robot.camera.horizontal_fov) == (320, 240, 1.2)
    assert (robot.drive.separation_m, robot.drive.radius_m) == (0.3, 0.05)
    assert robot.friction['back_caster_link'] == 0


def test_the_optical_frame_looks_along_z(robot: Robot) -> None:
    joint = next(joint for joint in robot.joints if joint.child == 'camera_front_optical_frame')
    forward = joint.at(0) @ type(joint.origin)((0.0, 0.0, 1.0))
    assert forward.position == pytest.approx((1, 0, 0), abs=1e-9)


def test_a_wheel_turns_about_its_axis(robot: Robot) -> None:
    wheel = next(joint for joint in robot.joints if joint.name == 'left_wheel_joint')
    ahead = wheel.at(math.pi / 2) @ type(wheel.origin)((0.0, 0.0, 0.05))
    assert ahead.position == pytest.approx((0.05, 0.15, 0.05), abs=1e-9)


@pytest.mark.parametrize(('old', 'new', 'error'), [
    ('<robot name="loom_bot">', '<!DOCTYPE robot><robot name="loom_bot">', 'must not declare a DOCTYPE'),
    ('<parent link="base_link"/>', '<parent link="nowhere"/>', "links that exist, got 'nowhere'"),
    ('type="continuous"', 'type="floating"', 'must have a type of'),
    ('<axis xyz="0 1 0"/>', '<axis xyz="0 0 0"/>', 'axis that is not zero'),
    ('<link name="imu_link"/>', '<link name="imu_link"/><link name="loose_link"/>', 'must be one tree'),
    ('type="gpu_lidar"', 'type="sonar"', 'must have a <sensor type="gpu_lidar">'),
    ('<wheel_radius>0.05', '<wheel_radius>-1', 'wheel_radius must be above 0'),
    ('</robot>', '', 'well-formed XML'),
])
def test_bad_robots_are_refused(robot: Robot, old: str, new: str, error: str) -> None:
    assert old in robot.text
    with pytest.raises(ConfigError, match=error):
        parse_robot(robot.text.replace(old, new), 'loom_bot.urdf')


def test_a_loop_of_joints_is_refused(tmp_path: Path) -> None:
    file = tmp_path / 'loop.urdf'
    joint = '<joint name="{0}" type="fixed"><parent link="{1}"/><child link="{2}"/></joint>'
    file.write_text('<robot name="r"><link name="a"/><link name="b"/><link name="c"/>'
                    + joint.format('x', 'b', 'c') + joint.format('y', 'c', 'b') + '</robot>')
    with pytest.raises(ConfigError, match='loop of joints'):
        read_skeleton(file)


def test_any_urdf_has_a_skeleton(tmp_path: Path) -> None:
    file = tmp_path / 'small.urdf'
    file.write_text('<robot name="r"><link name="only"/></robot>')
    assert read_skeleton(file).root == 'only'
