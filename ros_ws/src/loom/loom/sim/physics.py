"""MuJoCo's model and state of a world with its robot, kept while things come and go."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

import numpy as np

from loom.core.errors import ConfigError, SimulationError
from loom.sim.engine import mujoco
from loom.sim.entities import Entities, checked
from loom.sim.mujoco_model import build
from loom.sim.pose import Pose
from loom.sim.results import NAME_INVALID, NAME_NOT_UNIQUE, OPERATION_FAILED, RESOURCE_PARSE_ERROR
from loom.sim.robot import Robot
from loom.sim.shape import Model, World
from loom.sim.snapshot import MODELS

MAX_SPAWNED = 200
STATE = mujoco.mjtState.mjSTATE_INTEGRATION.value
_NAME = re.compile(r'[A-Za-z][A-Za-z0-9_]{0,63}\Z')


class Physics:
    """Holds `model` and `data`; both are new objects after `add`, `remove` and `restore_models`."""

    def __init__(self, robot: Robot, world: World) -> None:
        self._robot, self._world = robot, world
        self._models = {model.name: model for model in world.models}
        self._contents = ''
        self._compile()

    @property
    def entities(self) -> Entities:
        """The robot and the models of the world by name."""
        return Entities(self.model, self.data, {self._robot.name: self._robot.root, **{n: n for n in self._models}})

    @property
    def models(self) -> dict[str, Model]:
        """What is in the world now, by name, the robot aside."""
        return dict(self._models)

    def restart(self) -> None:
        """Everything back to where it was when it came, at rest; the time goes on."""
        now = self.data.time
        self.model.body_pos[:], self.model.body_quat[:] = self._home
        mujoco.mj_resetData(self.model, self.data)
        self.data.time = now
        mujoco.mj_forward(self.model, self.data)

    def add(self, model: Model, name: str, pose: Pose | None) -> None:
        """Puts a model into the world; SimulationError where the name is bad or taken, or the model no good."""
        if not _NAME.match(name):
            raise SimulationError(f'an entity name must be letters, digits and _, from a letter on; got {name[:80]!r}',
                                  NAME_INVALID)
        if self.taken(name):
            raise SimulationError(f'an entity name must be free, got {name!r}; allow renaming or choose another',
                                  NAME_NOT_UNIQUE)
        if len(self._models) >= len(self._world.models) + MAX_SPAWNED:
            raise SimulationError(f'at most {MAX_SPAWNED} entities can be spawned; delete some', OPERATION_FAILED)
        before = self._models
        self._models = {**before, name: replace(model, name=name, pose=checked(pose or model.pose))}
        try:
            self._rebuild()
        except (ValueError, ConfigError) as error:
            self._models = before
            raise SimulationError(f'entity {name!r} must be a model MuJoCo accepts, got: {error}',
                                  RESOURCE_PARSE_ERROR) from None

    def remove(self, name: str) -> None:
        """Takes a model out of the world; the robot stays."""
        if name == self._robot.name:
            raise SimulationError(f'the robot {name!r} must stay in its world; delete something else', OPERATION_FAILED)
        self.entities.state(name)
        self._models = {n: model for n, model in self._models.items() if n != name}
        self._rebuild()

    def taken(self, name: str) -> bool:
        """Whether something in the world has this name."""
        return name in self._models or name in (self._robot.name, *self._robot.links)

    def restore_models(self) -> None:
        """Removes what was spawned and brings back what was deleted."""
        self._models = {model.name: model for model in self._world.models}
        self._rebuild()

    @property
    def contents(self) -> str:
        """What is in the world as JSON: names of the world's own models, and all of the others."""
        if not self._contents:
            own = {id(model) for model in self._world.models}
            self._contents = MODELS.dump_json(
                tuple(model.name if id(model) in own else model for model in self._models.values())).decode()
        return self._contents

    @property
    def bodies(self) -> bytes:
        """Where each body is in its parent: float64 (bodies, 7), position and quaternion."""
        return np.hstack((self.model.body_pos, self.model.body_quat)).tobytes()

    @property
    def state(self) -> bytes:
        """MuJoCo's mjSTATE_INTEGRATION: with it, the next step is the same bit for bit."""
        state = np.empty(mujoco.mj_stateSize(self.model, STATE))
        mujoco.mj_getState(self.model, self.data, state, STATE)
        return state.tobytes()

    def restore(self, contents: str, bodies: bytes, state: bytes) -> None:
        """Goes on from there; SimulationError where the parts don't belong together."""
        if contents != self.contents:
            own = {model.name: model for model in self._world.models}
            models = (own[m] if isinstance(m, str) else m for m in MODELS.validate_json(contents))
            self._models = {model.name: model for model in models}
            self._compile()
        placed, values = np.frombuffer(bodies), np.frombuffer(state)
        if placed.size != self.model.nbody * 7 or values.size != mujoco.mj_stateSize(self.model, STATE):
            raise SimulationError(f'a state must be one of this world, got {placed.size} and {values.size} numbers')
        placed = placed.reshape(-1, 7)
        self.model.body_pos[:], self.model.body_quat[:] = placed[:, :3], placed[:, 3:]
        mujoco.mj_setState(self.model, self.data, values, STATE)
        mujoco.mj_forward(self.model, self.data)
        # Finding the forces changed what the next step starts to look for them from.
        mujoco.mj_setState(self.model, self.data, values, STATE)

    def state_hash(self) -> str:
        """sha256 of all positions, velocities and the time: equal only for bit-identical states."""
        time = np.float64(self.data.time)
        return hashlib.sha256(self.data.qpos.tobytes() + self.data.qvel.tobytes() + time.tobytes()).hexdigest()

    def _compile(self) -> None:
        self._contents = ''
        world = replace(self._world, models=tuple(self._models.values()))
        self.model = build(self._robot, world).compile()
        self.data = mujoco.MjData(self.model)
        self._home = self.model.body_pos.copy(), self.model.body_quat.copy()
        mujoco.mj_forward(self.model, self.data)

    def _rebuild(self) -> None:
        """A new model in which all that was there before keeps its place and speed."""
        model, data = self.model, self.data
        self._compile()
        self.data.time = data.time
        kept = {model.joint(i).name for i in range(model.njnt)} & {
            self.model.joint(i).name for i in range(self.model.njnt)}
        for name in kept:
            self.data.joint(name).qpos[:] = data.joint(name).qpos
            self.data.joint(name).qvel[:] = data.joint(name).qvel
        mujoco.mj_forward(self.model, self.data)
