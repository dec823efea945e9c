"""The robot as its agents see it: where it is, what is around it, and a motion they would like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from loom.sense.pictures import Depths, Lens, Picture

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pose2D:
    """Position in metres and heading in radians, in the map frame."""

    x: float
    y: float
    yaw: float
    stamp_ns: int = 0


@dataclass(frozen=True)
class Scan:
    """Where the lidar's beams ended: `points` is (n, 2) in metres in base_link; beams that met nothing are absent."""

    points: Floats
    stamp_ns: int


@dataclass(frozen=True)
class Grid:
    """The known map: `occupancy` is (rows, columns), -1 unknown, 0 free to 100 occupied; cell [0, 0] is at origin."""

    occupancy: NDArray[np.int8]
    resolution_m: float
    origin_x: float = 0.0
    origin_y: float = 0.0


@dataclass(frozen=True)
class Motion:
    """A speed an agent would like: m/s ahead, rad/s to the left; `origin_ns` is the stamp of the picture used."""

    linear: float = 0.0
    angular: float = 0.0
    intent: str = ''
    agent: str = ''
    lane: int = 20
    origin_ns: int = 0


@dataclass(frozen=True)
class Relief:
    """What the depth camera sees in the robot's way: `points` is (n, 2) in metres in base_link."""

    points: Floats
    stamp_ns: int


@dataclass(frozen=True)
class Sight:
    """A camera's picture, its lens, and the depth (H, W) in metres taken with it where there is one."""

    picture: Picture
    lens: Lens
    depth: Depths | None = None


class Body(Protocol):
    """Newest knowledge of the robot; each method raises DeviceError that says how old its data is when stale."""

    def pose(self) -> Pose2D:
        """Where the robot is in the map."""
        ...

    def scan(self) -> Scan:
        """What the lidar sees."""
        ...

    def relief(self) -> Relief:
        """What the depth camera sees in the way, also what is too low for the lidar; no points where there is none."""
        ...

    def grid(self) -> Grid:
        """The known map."""
        ...

    def places(self) -> dict[str, tuple[float, float, float]]:
        """Named places: (x, y, yaw) in the map."""
        ...

    def sight(self) -> Sight:
        """What the front camera sees."""
        ...

    def propose(self, motion: Motion) -> None:
        """Asks the safety kernel for a motion; it is worth 0.4 s."""
        ...

    def halted(self) -> str:
        """Why the safety kernel lets nothing move, like an emergency stop; empty where it does."""
        ...

    def show_path(self, points: Floats) -> None:
        """Shows the planned way, (n, 2) in the map, to whoever looks."""
        ...

    async def look(self, timeout_s: float) -> None:
        """Waits for a newer depth picture, at most `timeout_s` seconds."""
        ...
