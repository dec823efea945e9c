"""Plain values of a world: shapes, links, models; metres, kilograms, colours from 0 to 1."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from loom.sim.pose import Pose, Vector

Colour = tuple[float, float, float, float]
GREY: Colour = (0.7, 0.7, 0.7, 1.0)


@dataclass(frozen=True)
class Geometry:
    """A box (full lengths x, y, z), cylinder (radius, length), sphere (radius) or plane (lengths x, y)."""

    kind: str
    size: tuple[float, ...]

    @property
    def half_extents(self) -> Vector:
        """Half the lengths in x, y, z of the smallest aligned box around it, in metres."""
        if self.kind == 'box':
            return (self.size[0] / 2, self.size[1] / 2, self.size[2] / 2)
        if self.kind == 'cylinder':
            return (self.size[0], self.size[0], self.size[1] / 2)
        if self.kind == 'sphere':
            return (self.size[0], self.size[0], self.size[0])
        return (self.size[0] / 2, self.size[1] / 2, 0.0)

    @property
    def volume(self) -> float:
        """Cubic metres; 0 for a plane."""
        if self.kind == 'box':
            return self.size[0] * self.size[1] * self.size[2]
        if self.kind == 'cylinder':
            return math.pi * self.size[0] ** 2 * self.size[1]
        return 4 / 3 * math.pi * self.size[0] ** 3 if self.kind == 'sphere' else 0.0


@dataclass(frozen=True)
class Shape:
    """A geometry in its link, to be touched (collides) or only seen."""

    name: str
    pose: Pose
    geometry: Geometry
    collides: bool
    colour: Colour = GREY
    texture: Path | None = None
    friction: float = 0.8


@dataclass(frozen=True)
class Link:
    """A rigid part: its shapes, and its mass in kilograms (0 where it is not given)."""

    name: str
    pose: Pose
    shapes: tuple[Shape, ...]
    mass: float = 0.0


@dataclass(frozen=True)
class Model:
    """A thing in the world; a static one never moves and belongs to the map."""

    name: str
    pose: Pose
    static: bool
    links: tuple[Link, ...]

    def placed(self) -> list[tuple[Pose, Shape]]:
        """Every shape with its pose in the world."""
        return [(self.pose @ link.pose @ shape.pose, shape) for link in self.links for shape in link.shapes]


@dataclass(frozen=True)
class Light:
    """A directional or point light, with its diffuse colour."""

    name: str
    kind: str
    pose: Pose
    direction: Vector = (0.0, 0.0, -1.0)
    diffuse: Vector = (0.8, 0.8, 0.8)


@dataclass(frozen=True)
class World:
    """What an SDF world describes: models, lights, named places, and where the robot starts."""

    name: str
    models: tuple[Model, ...]
    spawn: Pose
    places: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    lights: tuple[Light, ...] = ()
    background: Colour = (0.7, 0.8, 0.9, 1.0)
