"""The things in the simulated world by name: where they are, how they move, putting them elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from loom.core.errors import SimulationError
from loom.sim.engine import mujoco
from loom.sim.pose import Pose, Vector
from loom.sim.results import INVALID_POSE, NOT_FOUND, OPERATION_FAILED

MAX_DISTANCE_M = 1000.0
MAX_SPEED = 50.0
STILL: Vector = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class EntityState:
    """A pose in the world and the velocities in its frame: m/s and rad/s."""

    pose: Pose = field(default_factory=Pose)
    linear: Vector = STILL
    angular: Vector = STILL


class Entities:
    """Reads and writes the bodies of a MuJoCo model that are entities: the robot and the world's models."""

    def __init__(self, model: Any, data: Any, bodies: dict[str, str]) -> None:
        self._model, self._data, self._bodies = model, data, bodies

    def names(self) -> list[str]:
        """All entities, sorted."""
        return sorted(self._bodies)

    def state(self, name: str) -> EntityState:
        """Where the entity is and how it moves; SimulationError where there is none of that name."""
        body = self._body(name)
        velocity = np.zeros(6)
        mujoco.mj_objectVelocity(self._model, self._data, mujoco.mjtObj.mjOBJ_XBODY.value, body, velocity, 0)
        angular, linear = tuple(velocity[:3].tolist()), tuple(velocity[3:].tolist())
        return EntityState(Pose(tuple(self._data.xpos[body].tolist()), tuple(self._data.xquat[body].tolist())),
                           linear, angular)

    def place(self, name: str, state: EntityState) -> None:
        """Puts the entity there at once; a static one takes the pose only."""
        body = self._body(name)
        pose = checked(state.pose)
        if not all(abs(part) <= MAX_SPEED for part in (*state.linear, *state.angular)):
            raise SimulationError(f'speeds must be at most {MAX_SPEED:g} m/s and rad/s, '
                                  f'got {state.linear} and {state.angular}', OPERATION_FAILED)
        if self._model.body_jntnum[body] == 0:
            self._model.body_pos[body], self._model.body_quat[body] = pose.position, pose.orientation
        else:
            joint = self._model.body_jntadr[body]
            where, speed = self._model.jnt_qposadr[joint], self._model.jnt_dofadr[joint]
            self._data.qpos[where:where + 7] = (*pose.position, *pose.orientation)
            # A free joint's linear velocity is in the world, its angular one in the body.
            self._data.qvel[speed:speed + 3] = state.linear
            turned = Pose((0, 0, 0), pose.orientation).inverse() @ Pose(state.angular)
            self._data.qvel[speed + 3:speed + 6] = turned.position
        mujoco.mj_forward(self._model, self._data)

    def _body(self, name: str) -> int:
        if name not in self._bodies:
            known = ', '.join(self.names())[:300]
            raise SimulationError(f'no entity named {name[:60]!r}; there are: {known}', NOT_FOUND)
        return int(self._model.body(self._bodies[name]).id)


def checked(pose: Pose) -> Pose:
    """The pose with its quaternion made a unit one; SimulationError where it is not a pose."""
    norm = math.sqrt(sum(part * part for part in pose.orientation))
    if not all(abs(part) <= MAX_DISTANCE_M for part in pose.position) or not 0.5 < norm < 1.5:
        raise SimulationError(f'a pose must be within {MAX_DISTANCE_M:g} m and have a unit quaternion, '
                              f'got {pose.position} {pose.orientation}',
                              INVALID_POSE)
    w, x, y, z = (part / norm for part in pose.orientation)
    return Pose(pose.position, (w, x, y, z))
