"""The simulated robot moves, senses and repeats itself exactly."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from loom.core.errors import ConfigError, SimulationError
from loom.sim.entities import EntityState
from loom.sim.pose import Pose
from loom.sim.results import INVALID_POSE, NAME_INVALID, NAME_NOT_UNIQUE, NOT_FOUND
from loom.sim.shape import Geometry, Link, Model, Shape
from loom.sim.simulation import Simulation

CONE = Model('cone', Pose((-2.2, -1.2, 0.2)), False, (Link('l', Pose(), (
    Shape('solid', Pose(), Geometry('cylinder', (0.1, 0.4)), True),
    Shape('seen', Pose(), Geometry('cylinder', (0.1, 0.4)), False, (1.0, 0.5, 0.0, 1.0))), 1.0),))
THOUSAND_STEPS = '''
import sys
from pathlib import Path
from loom.sim.simulation import Simulation
sim = Path(sys.argv[1])
simulation = Simulation.load(sim / 'robots' / 'loom_bot.urdf', sim / 'worlds' / 'home.sdf', seed=7)
for i in range(100):
    simulation.command(0.4 - i * 0.003, 0.8 if i % 30 < 15 else -0.5)
    simulation.step(10)
print(simulation.state_hash())
'''


def drive(simulation: Simulation, speed: float, turn: float, seconds: float) -> None:
    for _ in range(round(seconds * 10)):
        simulation.command(speed, turn)
        simulation.step(50)


def put(simulation: Simulation, place: str) -> None:
    x, y, yaw = simulation.world.places[place]
    simulation.entities.place('loom_bot', EntityState(Pose.from_rpy((x, y, 0), (0, 0, yaw))))
    simulation.step(5)


def test_the_same_seed_and_commands_give_the_same_state_in_two_processes(sim_folder: Path) -> None:
    hashes = [subprocess.run([sys.executable, '-c', THOUSAND_STEPS, str(sim_folder)], capture_output=True, text=True,
                             timeout=60, check=True).stdout.strip() for _ in range(2)]
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 64


def test_a_reset_repeats_the_run(simulation: Simulation) -> None:
    def run() -> tuple[str, float, bytes]:
        simulation.reset(seed=3)
        drive(simulation, 0.3, 0.4, 1.0)
        return simulation.state_hash(), simulation.odometry.yaw, simulation.scan().tobytes()
    assert run() == run()


def test_sensing_does_not_change_the_world(simulation: Simulation) -> None:
    drive(simulation, 0.3, 0.2, 0.5)
    before = simulation.state_hash()
    simulation.reset(seed=0)
    for _ in range(5):
        simulation.command(0.3, 0.2)
        simulation.step(50)
        simulation.scan(), simulation.imu(), simulation.joint_states()
    assert simulation.state_hash() == before


def test_it_drives_and_knows_where_it_is(simulation: Simulation) -> None:
    drive(simulation, 0.4, 0.0, 2.0)
    drive(simulation, 0.0, 1.0, 1.0)
    drive(simulation, 0.0, 0.0, 0.6)
    true = simulation.world.spawn.inverse() @ simulation.entities.state('loom_bot').pose
    assert true.position[0] > 0.6
    odometry = simulation.odometry
    assert (odometry.x, odometry.y) == pytest.approx(true.position[:2], abs=0.02)
    assert odometry.yaw == pytest.approx(true.yaw, abs=0.03)


def test_it_stops_by_itself(simulation: Simulation) -> None:
    drive(simulation, 0.5, 0.0, 1.0)
    simulation.step(round(0.5 / 0.002) + 300)
    there = simulation.entities.state('loom_bot').pose.position
    simulation.step(500)
    assert simulation.entities.state('loom_bot').pose.position == pytest.approx(there, abs=1e-3)


def test_the_lidar_sees_walls_but_not_the_robot_nor_the_parcel(simulation: Simulation) -> None:
    ranges = simulation.scan()
    assert ranges.shape == (360,) and ranges.dtype == np.float32
    assert ranges[0] == pytest.approx(1.1, abs=0.03)
    assert ranges[np.isfinite(ranges)].min() > 0.3
    put(simulation, 'hallway')
    assert simulation.scan()[180] > 2.5


def test_far_and_near_returns_follow_rep_117(simulation: Simulation) -> None:
    simulation.entities.place('loom_bot', EntityState(Pose((20.0, 20.0, 0.0))))
    assert np.isposinf(simulation.scan()).any()
    simulation.entities.place('loom_bot', EntityState(Pose((-2.9, -1.2, 0.0))))
    simulation.spawn(CONE, 'close', Pose((-2.9 + 0.15, -1.2, 0.3)))
    assert np.isneginf(simulation.scan()[180])


def test_the_camera_sees_the_red_ball_in_the_kitchen(simulation: Simulation) -> None:
    put(simulation, 'kitchen')
    frame = simulation.camera_frame()
    assert (frame.rgb.shape, frame.depth.shape) == ((240, 320, 3), (240, 320))
    red = (frame.rgb[..., 0] > 100) & (frame.rgb[..., 1:].max(axis=2) < 60)
    assert red.sum() > 500
    rows, _ = np.nonzero(red)
    assert rows.mean() > 120, 'the ball lies below the middle of the picture'
    assert frame.depth[red].mean() == pytest.approx(1.05, abs=0.1)


def test_depth_is_along_the_optical_axis(simulation: Simulation) -> None:
    put(simulation, 'living_room')
    wall = simulation.camera_frame().depth[60]
    assert np.ptp(wall[60:260]) < 0.04, 'a flat wall with a sign on it has about one depth'


def test_the_depth_camera_sees_the_parcel(simulation: Simulation) -> None:
    put(simulation, 'hallway')
    depth = simulation.camera_frame().depth
    assert np.nanmin(depth[130:170, 60:160]) < 1.1


def test_bumping_into_a_wall_is_felt(simulation: Simulation) -> None:
    assert not simulation.bumped
    drive(simulation, -0.5, 0.0, 2.5)
    assert simulation.bumped


def test_the_imu_feels_gravity_and_turning(simulation: Simulation) -> None:
    simulation.step(100)
    assert simulation.imu().linear_acceleration[2] == pytest.approx(9.81, abs=0.15)
    drive(simulation, 0.0, 1.0, 1.0)
    assert simulation.imu().angular_velocity[2] == pytest.approx(1.0, abs=0.1)
    assert math.hypot(*simulation.imu().orientation) == pytest.approx(1.0)


def test_the_wheels_turn(simulation: Simulation) -> None:
    drive(simulation, 0.3, 0.0, 1.0)
    joints = simulation.joint_states()
    assert joints.names == ('left_wheel_joint', 'right_wheel_joint')
    assert joints.velocities == pytest.approx((6.0, 6.0), abs=0.2)


def test_things_come_go_and_leave_the_rest_alone(simulation: Simulation) -> None:
    drive(simulation, 0.3, 0.3, 1.0)
    before = simulation.entities.state('loom_bot')
    simulation.spawn(CONE, 'cone')
    assert 'cone' in simulation.entities.names()
    assert simulation.entities.state('loom_bot').pose.position == pytest.approx(before.pose.position, abs=2e-3)
    assert simulation.entities.state('loom_bot').linear == pytest.approx(before.linear, abs=0.01)
    simulation.step(200)
    assert simulation.entities.state('cone').pose.position[2] == pytest.approx(0.2, abs=0.01)
    simulation.delete('cone')
    assert 'cone' not in simulation.entities.names()
    simulation.delete('red_ball')
    simulation.reset()
    assert 'red_ball' in simulation.entities.names()


def test_static_things_are_moved_too_and_come_back(simulation: Simulation) -> None:
    start = simulation.entities.state('stool').pose
    simulation.entities.place('stool', EntityState(Pose((2.0, 2.0, 0.0))))
    assert simulation.entities.state('stool').pose.position == (2.0, 2.0, 0.0)
    simulation.reset()
    assert simulation.entities.state('stool').pose == start


def test_a_reset_can_keep_time_or_state(simulation: Simulation) -> None:
    simulation.step(500)
    simulation.reset(time=False)
    assert simulation.time_s == pytest.approx(1.0)
    drive(simulation, 0.3, 0.0, 1.0)
    there = simulation.entities.state('loom_bot').pose
    simulation.reset(state=False, spawned=False)
    assert simulation.time_s == 0.0
    assert simulation.entities.state('loom_bot').pose == there


@pytest.mark.parametrize(('name', 'code'), [
    ('cone!', NAME_INVALID), ('', NAME_NOT_UNIQUE), ('red_ball', NAME_NOT_UNIQUE), ('base_link', NAME_NOT_UNIQUE),
    ('x' * 65, NAME_INVALID)])
def test_bad_names_are_refused(simulation: Simulation, name: str, code: int) -> None:
    simulation.spawn(CONE)
    with pytest.raises(SimulationError, match='an entity name must be') as caught:
        simulation.spawn(CONE, name)
    assert caught.value.code == code


def test_what_can_not_be_is_refused(simulation: Simulation) -> None:
    with pytest.raises(SimulationError, match="no entity named 'ghost'; there are:") as caught:
        simulation.entities.state('ghost')
    assert caught.value.code == NOT_FOUND
    with pytest.raises(SimulationError, match='must stay in its world'):
        simulation.delete('loom_bot')
    for pose in (Pose((math.nan, 0, 0)), Pose((1e9, 0, 0)), Pose((0, 0, 0), (0.0, 0.0, 0.0, 0.0))):
        with pytest.raises(SimulationError, match='a pose must be') as caught:
            simulation.entities.place('red_ball', EntityState(pose))
        assert caught.value.code == INVALID_POSE
    with pytest.raises(SimulationError, match='speeds must be at most'):
        simulation.entities.place('red_ball', EntityState(linear=(math.nan, 0, 0)))


def test_a_model_that_can_not_move_is_refused_and_forgotten(simulation: Simulation) -> None:
    ghost = Model('ghost', Pose(), False, (Link('l', Pose(), ()),))
    with pytest.raises(SimulationError, match='must be a model MuJoCo accepts'):
        simulation.spawn(ghost)
    assert not simulation.taken('ghost')


def test_the_overview_shows_the_world(simulation: Simulation) -> None:
    picture = simulation.render_overview(320, 180)
    assert picture.shape == (180, 320, 3)
    assert picture.std() > 20


def test_a_missing_world_is_named(sim_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='must be readable'):
        Simulation.load(sim_folder / 'robots' / 'loom_bot.urdf', tmp_path / 'nowhere.sdf')
