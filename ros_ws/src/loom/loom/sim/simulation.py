"""The simulated world with its robot: the same seed and commands give the same states, bit for bit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from loom.core.errors import ConfigError, SimulationError
from loom.sim.base import Base
from loom.sim.battery import Battery
from loom.sim.engine import mujoco
from loom.sim.entities import Entities
from loom.sim.laser import Laser
from loom.sim.mujoco_model import TIMESTEP_S
from loom.sim.occupancy import floor_bounds
from loom.sim.odometry import DeadReckoning, Odometry
from loom.sim.overview import Viewpoint, fitting, render_overview
from loom.sim.physics import Physics
from loom.sim.pose import Pose
from loom.sim.proprioception import Bumper, ImuReading, Inertial, JointStates, Wheels
from loom.sim.rgbd import Frame, Rgbd
from loom.sim.robot import Robot
from loom.sim.shape import Model, World
from loom.sim.snapshot import Snapshot, fingerprint
from loom.sim.urdf import read_robot
from loom.sim.world import check_with_gazebo, read_world

CONTROL_STEPS = 5
CONTROL_S = CONTROL_STEPS * TIMESTEP_S


class Simulation:
    """Steps MuJoCo at 500 Hz and gives what the robot's sensors would; for one thread at a time."""

    def __init__(self, robot: Robot, world: World, seed: int = 0) -> None:
        self.robot, self.world = robot, world
        self._physics = Physics(robot, world)
        self._camera: Rgbd | None = None
        self.fingerprint = fingerprint(robot, world, seed)
        self._restart(seed)

    @classmethod
    def load(cls, robot_file: Path, world_file: Path, seed: int = 0, known: bytes = b'') -> Simulation:
        """The simulation of a URDF and an SDF file; ConfigError names what is wrong with one of them.

        `known` is the fingerprint of one that ran before: a world that was checked is not checked again.
        """
        world, robot = read_world(world_file), read_robot(robot_file)
        if fingerprint(robot, world, seed) == known:
            return cls(robot, world, seed)
        with ThreadPoolExecutor(1) as pool:
            # Another program checks the file meanwhile: starting up must be quick.
            check = pool.submit(check_with_gazebo, world_file)
            simulation = cls(robot, world, seed)
            check.result()
        return simulation

    @property
    def time_s(self) -> float:
        """Simulated seconds since the start or the last reset."""
        return float(self._physics.data.time)

    @property
    def odometry(self) -> Odometry:
        """Where the robot believes it is, relative to its start."""
        return self._reckoning.odometry

    @property
    def entities(self) -> Entities:
        """The robot and the models of the world, to be looked at and moved."""
        return self._physics.entities

    @property
    def models(self) -> dict[str, Model]:
        """What is in the world now, by name, the robot aside."""
        return self._physics.models

    def taken(self, name: str) -> bool:
        """Whether something in the world has this name."""
        return self._physics.taken(name)

    def reset(self, seed: int | None = None, time: bool = True, state: bool = True, spawned: bool = True) -> None:
        """Back to the beginning: the time, all states, the models of the world; each only if asked for."""
        if spawned:
            self._physics.restore_models()
            self._attach()
        if state:
            self._physics.restart()
            self._restart(self._seed if seed is None else seed)
        if time:
            self._physics.data.time, self._steps = 0.0, 0
            self._base = Base(self.robot.drive)

    def snapshot(self, run_state: int) -> Snapshot:
        """All it takes to go on from here in another process, with the runner's state."""
        physics, reckoning = self._physics, self._reckoning
        return Snapshot(
            time_s=self.time_s, run_state=run_state, seed=self._seed, steps=self._steps, models=physics.contents,
            bodies=physics.bodies, physics=physics.state, speed_m_s=self._base.speed, turn_rad_s=self._base.turn,
            battery=self.battery, odometry=reckoning.odometry, encoder_ticks=reckoning.encoders,
            gyro_rad_s=reckoning.gyro_rad_s, noise=[dict(noise.bit_generator.state) for noise in self._noise],
            bumped=self.bumped)

    def restore(self, snapshot: Snapshot) -> None:
        """Goes on from a snapshot of this robot and world, with no command given; SimulationError where it can't."""
        try:
            self._physics.restore(snapshot.models, snapshot.bodies, snapshot.physics)
            self._restart(snapshot.seed)
            for noise, state in zip(self._noise, snapshot.noise, strict=True):
                noise.bit_generator.state = state
        except (ValueError, KeyError, TypeError, ConfigError) as error:
            raise SimulationError(f'a snapshot must be one of this world, got: {error}') from None
        self._steps, self.battery = snapshot.steps, replace(snapshot.battery)
        self._base.speed, self._base.turn = snapshot.speed_m_s, snapshot.turn_rad_s
        self._reckoning.restore(snapshot.odometry, snapshot.encoder_ticks, snapshot.gyro_rad_s)
        self._bumper.pressed = snapshot.bumped

    def command(self, speed_m_s: float, turn_rad_s: float) -> None:
        """Asks the base for a forward speed and a turning rate; it stops by itself 0.5 s after the last one."""
        self._base.command(speed_m_s, turn_rad_s, self.time_s)

    def step(self, count: int = 1) -> None:
        """Goes `count` steps of 2 ms ahead; the base is controlled every fifth."""
        while count > 0:
            ahead = min(count, CONTROL_STEPS - self._steps % CONTROL_STEPS)
            mujoco.mj_step(self._physics.model, self._physics.data, ahead)
            self._steps += ahead
            count -= ahead
            if self._steps % CONTROL_STEPS == 0:
                self._control()

    def scan(self) -> npt.NDArray[np.float32]:
        """One turn of the lidar in metres, shape (samples,); inf is no return (REP-117)."""
        return self._laser.scan(self._physics.data)

    def camera_frame(self) -> Frame:
        """Colour and depth of the front camera; from one and the same thread until `close`."""
        if self._camera is None:
            self._camera = Rgbd(self._physics.model, self.robot.camera)
        return self._camera.frame(self._physics.data)

    def imu(self) -> ImuReading:
        """The inertial unit's noisy reading."""
        return self._inertial.read(self._physics.data, self.odometry.yaw)

    def joint_states(self) -> JointStates:
        """The driven wheels."""
        return self._wheels.states(self._physics.data)

    @property
    def bumped(self) -> bool:
        """Whether the body's shell touches something."""
        return self._bumper.pressed

    def state_hash(self) -> str:
        """sha256 of all positions, velocities and the time: equal only for bit-identical states."""
        return self._physics.state_hash()

    def spawn(self, model: Model, name: str = '', pose: Pose | None = None) -> None:
        """Adds a model under a name that is free; SimulationError where it can't be."""
        self._physics.add(model, name or model.name, pose)
        self._attach()

    def delete(self, name: str) -> None:
        """Takes a model out of the world; the robot stays."""
        self._physics.remove(name)
        self._attach()

    def render_overview(self, width: int = 1280, height: int = 720,
                        viewpoint: Viewpoint | None = None) -> npt.NDArray[np.uint8]:
        """RGB (height, width, 3) of the whole world from above, with shadows."""
        left, right, bottom, top = floor_bounds(self.world)
        centre = ((left + right) / 2, (bottom + top) / 2 - 0.2, 0.0)
        viewpoint = viewpoint or fitting(right - left, top - bottom, width / height, centre)
        return render_overview(self._physics.model, self._physics.data, width, height, viewpoint)

    def close(self) -> None:
        """Frees the renderer; call it from the thread that drew."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None

    def _restart(self, seed: int) -> None:
        """New sensors and electronics from a seed, each with noise of its own."""
        self._seed, self._steps = seed, 0
        self._noise = np.random.default_rng(seed).spawn(3)
        self._base, self.battery = Base(self.robot.drive), Battery()
        self._reckoning: DeadReckoning = DeadReckoning(self.robot.drive, self._noise[0])
        self._attach()

    def _attach(self) -> None:
        """Connects the sensors to the model as it is now; the renderer comes anew with the next picture."""
        self.close()
        model, robot = self._physics.model, self.robot
        self._wheels, self._bumper = Wheels(model, robot), Bumper(model, robot.root)
        self._laser = Laser(model, robot.lidar, robot.root, self._noise[1])
        self._inertial = Inertial(robot.imu, robot.root, self._noise[2])

    def _control(self) -> None:
        data = self._physics.data
        self._reckoning.update(*self._wheels.angles(data), self._inertial.turn_rate(data), CONTROL_S)
        self._wheels.drive(data, *self._base.wheel_speeds(self.time_s, CONTROL_S))
        self.battery.drain(self._wheels.power(data), CONTROL_S)
        self._bumper.feel(data)
