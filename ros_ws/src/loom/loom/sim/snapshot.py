"""All that a simulation needs to go on where it was, as plain values."""

from __future__ import annotations

import hashlib
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from loom.core.errors import SimulationError
from loom.sim.battery import Battery
from loom.sim.engine import mujoco
from loom.sim.odometry import Odometry
from loom.sim.robot import Robot
from loom.sim.shape import Model, World

LAYOUT = 1
MODELS: TypeAdapter[tuple[Model | str, ...]] = TypeAdapter(tuple[Model | str, ...])


class Snapshot(BaseModel):
    """The world and the robot between two steps; what the robot was told to do is not part of it."""

    model_config = ConfigDict(frozen=True, extra='forbid', ser_json_bytes='base64', val_json_bytes='base64')

    time_s: float
    # Playing, paused or stopped, as the runner has it.
    run_state: int
    seed: int
    steps: int
    # What is in the world, as JSON: the names of the world's own models, and all of the others.
    models: str
    # Where the bodies are that can't move: float64 (bodies, 7), position and quaternion.
    bodies: bytes
    # MuJoCo's mjSTATE_INTEGRATION, float64.
    physics: bytes
    speed_m_s: float
    turn_rad_s: float
    battery: Battery
    odometry: Odometry
    encoder_ticks: tuple[int, int] | None
    gyro_rad_s: float
    # States of the generators of noise.
    noise: list[dict[str, Any]]
    bumped: bool

    def encoded(self) -> bytes:
        """As bytes for a file."""
        return self.model_dump_json().encode()

    @classmethod
    def decoded(cls, data: bytes) -> Snapshot:
        """The snapshot in the bytes; SimulationError where they are none."""
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            raise SimulationError(f'a snapshot must have its fields, got: {error.errors()[0]["msg"]}') from None


def fingerprint(robot: Robot, world: World, seed: int) -> bytes:
    """32 bytes that stand for what a snapshot was made of: only with the same can it be gone on from."""
    return hashlib.sha256(repr((LAYOUT, mujoco.__version__, robot, world, seed)).encode()).digest()
