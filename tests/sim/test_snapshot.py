"""A simulation that is made anew from a snapshot goes on as the first one does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from loom.core.errors import SimulationError
from loom.sim.entities import EntityState
from loom.sim.pose import Pose
from loom.sim.robot import Robot
from loom.sim.runner import PAUSED, PLAYING, Runner
from loom.sim.shape import Geometry, Link, Model, Shape, World
from loom.sim.simulation import Simulation
from loom.sim.snapshot import Snapshot, fingerprint
from loom.sim.state_file import StateFile

Until = Callable[..., None]
CONE = Model('cone', Pose((-2.2, -1.2, 0.2)), False, (Link('l', Pose(), (
    Shape('solid', Pose(), Geometry('cylinder', (0.1, 0.4)), True),), 1.0),))


def drive(simulation: Simulation, speed: float, turn: float, seconds: float) -> None:
    for _ in range(round(seconds * 10)):
        simulation.command(speed, turn)
        simulation.step(50)


def copied(snapshot: Snapshot) -> Snapshot:
    return Snapshot.decoded(snapshot.encoded())


@pytest.fixture
def second(robot: Robot, home: World) -> Simulation:
    return Simulation(robot, home)


def test_it_goes_on_bit_for_bit(simulation: Simulation, second: Simulation) -> None:
    drive(simulation, 0.4, 0.5, 1.3)
    simulation.step(3)
    second.restore(copied(simulation.snapshot(PLAYING)))
    assert second.snapshot(PLAYING) == simulation.snapshot(PLAYING)
    for one in (simulation, second):
        drive(one, 0.3, -0.4, 1.0)
    assert second.state_hash() == simulation.state_hash()
    assert second.odometry == simulation.odometry
    assert second.battery == simulation.battery
    assert (second.scan() == simulation.scan()).all()
    assert second.imu() == simulation.imu()


def test_it_stands_still_until_it_is_told_to_move(simulation: Simulation, second: Simulation) -> None:
    drive(simulation, 0.4, 0.0, 1.0)
    second.restore(copied(simulation.snapshot(PLAYING)))
    before = second.entities.state('loom_bot')
    assert before.linear[0] == pytest.approx(simulation.entities.state('loom_bot').linear[0])
    second.step(10)
    simulation.step(10)
    assert abs(second.joint_states().velocities[0]) < abs(simulation.joint_states().velocities[0])
    second.step(500)
    assert second.entities.state('loom_bot').linear[0] == pytest.approx(0.0, abs=1e-3)


def test_what_came_went_and_was_moved_stays_so(simulation: Simulation, second: Simulation) -> None:
    simulation.spawn(CONE, 'cone_7')
    simulation.delete('green_cube')
    simulation.delete('red_ball')
    simulation.spawn(CONE, 'red_ball', Pose((-2.0, -1.8, 0.2)))
    simulation.entities.place('stool', EntityState(Pose((2.0, 2.0, 0.0))))
    drive(simulation, 0.2, 0.0, 0.5)
    second.restore(copied(simulation.snapshot(PLAYING)))
    assert second.entities.names() == simulation.entities.names()
    for name in second.entities.names():
        one, other = (s.entities.state(name).pose.position for s in (simulation, second))
        assert one == pytest.approx(other, abs=2e-3), name
    assert second.models['cone_7'] == simulation.models['cone_7']
    for one in (simulation, second):
        drive(one, 0.2, 0.1, 0.5)
    assert second.state_hash() == simulation.state_hash()
    second.reset()
    assert 'cone_7' not in second.entities.names()
    assert second.models == {model.name: model for model in second.world.models}


def test_only_the_same_world_robot_and_seed_are_the_same(robot: Robot, home: World, warehouse: World) -> None:
    prints = {fingerprint(robot, home, 0), fingerprint(robot, home, 1), fingerprint(robot, warehouse, 0)}
    assert len(prints) == 3
    assert fingerprint(robot, home, 0) in prints


def test_what_is_no_snapshot_is_refused(simulation: Simulation) -> None:
    good = simulation.snapshot(PLAYING)
    for bad in (b'', b'{}', good.encoded()[:-20], good.encoded().replace(b'time_s', b'tame_s')):
        with pytest.raises(SimulationError, match='a snapshot must have its fields'):
            Snapshot.decoded(bad)
    for change in ({'physics': good.physics[8:]}, {'bodies': b''}, {'models': '["ghost"]'}, {'models': '5'},
                   {'noise': []}, {'noise': [{}] * 3}, {'physics': b'1'}):
        with pytest.raises(SimulationError, match='must be one of this world'):
            simulation.restore(good.model_copy(update=change))
    simulation.reset()
    assert simulation.time_s == 0.0


class Robots:
    """Runners on one state file, one after the other, each with a world of its own."""

    def __init__(self, robot: Robot, world: World, path: Path) -> None:
        self._robot, self._world, self._path = robot, world, path
        self.told: list[float] = []

    def begin(self, seed: int = 0) -> tuple[Runner, Simulation]:
        simulation = Simulation(self._robot, self._world, seed)
        tick = lambda simulation, number: self.told.append(simulation.time_s)  # noqa: E731
        return Runner(simulation, tick, 5.0, StateFile(self._path)), simulation


@pytest.fixture
def robots(robot: Robot, home: World, tmp_path: Path) -> Robots:
    return Robots(robot, home, tmp_path / 'state')


def test_a_runner_goes_on_where_the_last_one_was(robots: Robots, until: Until) -> None:
    first, _ = robots.begin()
    assert (first.resumed, first.refused) == ('', '')
    first.start()
    until(lambda: len(robots.told) > 20)
    first.stop()
    second, simulation = robots.begin()
    assert simulation.time_s == robots.told[-1]
    assert second.resumed == f'the world goes on at {robots.told[-1]:.2f} s'
    second.start()
    until(lambda: len(robots.told) > 60)
    second.stop()
    assert robots.told == sorted(set(robots.told))


def test_what_was_answered_is_kept_even_in_a_pause(robots: Robots) -> None:
    first, _ = robots.begin()
    first.start()
    first.set_state(PAUSED).result(5)
    first.submit(lambda simulation: simulation.spawn(CONE)).result(5)
    second, simulation = robots.begin()
    assert second.state == PAUSED
    assert 'cone' in simulation.entities.names()
    first.submit(lambda simulation: simulation.reset()).result(5)
    first.stop()
    _, simulation = robots.begin()
    assert simulation.time_s == 0.0
    assert 'cone' not in simulation.entities.names()


def test_another_world_begins_anew(robots: Robots, until: Until) -> None:
    first, _ = robots.begin()
    first.start()
    until(lambda: len(robots.told) > 5)
    first.stop()
    second, simulation = robots.begin(seed=1)
    assert 'must be of this world, robot and seed, got one of another' in second.refused
    assert (second.resumed, simulation.time_s) == ('', 0.0)


@pytest.mark.parametrize('keep', [0, 30, 200])
def test_a_damaged_file_begins_anew(robots: Robots, tmp_path: Path, until: Until, keep: int) -> None:
    first, _ = robots.begin()
    first.start()
    until(lambda: len(robots.told) > 5)
    first.stop()
    path = tmp_path / 'state'
    data = path.read_bytes()
    path.write_bytes(data[:keep] + b'x' * (len(data) - keep))
    second, simulation = robots.begin()
    assert 'must' in second.refused
    assert simulation.time_s == 0.0
    second.start()
    second.submit(lambda simulation: simulation.spawn(CONE)).result(5)
    second.stop()
    third, _ = robots.begin()
    assert third.resumed


def test_a_world_that_can_not_be_kept_runs(robot: Robot, home: World, tmp_path: Path, until: Until) -> None:
    ticks: list[int] = []
    runner = Runner(Simulation(robot, home), lambda _, number: ticks.append(number), 5.0, StateFile(tmp_path))
    assert 'must be one that can be written' in runner.unkept
    runner.start()
    until(lambda: len(ticks) > 5)
    runner.stop()
