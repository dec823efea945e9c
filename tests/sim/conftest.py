"""Worlds, robot and one simulation that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from loom.sim.robot import Robot
from loom.sim.shape import World
from loom.sim.simulation import Simulation
from loom.sim.urdf import read_robot
from loom.sim.world import read_world

SIM = Path(__file__).resolve().parents[2] / 'sim'


@pytest.fixture(scope='session')
def sim_folder() -> Path:
    return SIM


@pytest.fixture(scope='session')
def home() -> World:
    return read_world(SIM / 'worlds' / 'home.sdf')


@pytest.fixture(scope='session')
def warehouse() -> World:
    return read_world(SIM / 'worlds' / 'warehouse.sdf')


@pytest.fixture(scope='session')
def robot() -> Robot:
    return read_robot(SIM / 'robots' / 'loom_bot.urdf')


@pytest.fixture(scope='session')
def _shared(robot: Robot, home: World) -> Iterator[Simulation]:
    simulation = Simulation(robot, home)
    yield simulation
    simulation.close()


@pytest.fixture
def simulation(_shared: Simulation) -> Simulation:
    """The home with the robot at its start."""
    _shared.reset(seed=0)
    return _shared
