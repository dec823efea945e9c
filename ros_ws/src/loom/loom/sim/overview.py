"""A picture of the whole world from above, with shadows, for missions and documents."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from loom.sim.engine import mujoco
from loom.sim.pose import Vector
from loom.sim.rgbd import Stage

SHADOW_PIXELS, SAMPLES = 4096, 4
FIELD_OF_VIEW_DEGREES = 38.0
MAX_PIXELS = 4096


@dataclass(frozen=True)
class Viewpoint:
    """Where to look from: `centre` in the middle of the picture, angles in degrees."""

    centre: Vector
    distance_m: float
    azimuth_degrees: float = 90.0
    elevation_degrees: float = -58.0


def fitting(width_m: float, depth_m: float, aspect: float, centre: Vector) -> Viewpoint:
    """A viewpoint from which a floor of this size fills a picture of this aspect (width over height)."""
    half = math.tan(math.radians(FIELD_OF_VIEW_DEGREES) / 2)
    return Viewpoint(centre, max(depth_m / 2, width_m / 2 / aspect) / half * 1.22)


def render_overview(model: Any, data: Any, width: int, height: int, viewpoint: Viewpoint) -> npt.NDArray[np.uint8]:
    """RGB (height, width, 3), with shadows and smooth edges; slow, for single pictures."""
    model = copy.copy(model)
    model.vis.quality.shadowsize, model.vis.quality.offsamples = SHADOW_PIXELS, SAMPLES
    model.vis.global_.offwidth, model.vis.global_.offheight = min(width, MAX_PIXELS), min(height, MAX_PIXELS)
    model.vis.global_.fovy = FIELD_OF_VIEW_DEGREES
    model.vis.headlight.ambient[:], model.vis.headlight.diffuse[:] = 0.52, 0.1
    model.stat.extent, model.stat.center[:] = viewpoint.distance_m / 2, viewpoint.centre
    # The renderer's shadow bias grows with the depth of the view: less would speckle the floor.
    model.vis.map.znear, model.vis.map.zfar = 0.2, 1000.0
    stage = Stage(model, model.vis.global_.offwidth, model.vis.global_.offheight)
    try:
        picture, _ = stage.draw(data, _view(viewpoint))
        return picture[::-1].copy()
    finally:
        stage.close()


def _view(viewpoint: Viewpoint) -> Any:
    view = mujoco.MjvCamera()
    view.type = mujoco.mjtCamera.mjCAMERA_FREE
    view.lookat[:] = viewpoint.centre
    view.distance = viewpoint.distance_m
    view.azimuth, view.elevation = viewpoint.azimuth_degrees, viewpoint.elevation_degrees
    return view
