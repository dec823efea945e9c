"""The RGB-D camera: colour and depth from one offscreen rendering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from loom.sim.engine import mujoco
from loom.sim.mujoco_model import CAMERA, SEEN
from loom.sim.robot import Camera

MAX_SHAPES = 4000


@dataclass(frozen=True)
class Frame:
    """`rgb` uint8 (H, W, 3) and `depth` float32 (H, W) in metres along the optical axis (REP-118)."""

    rgb: npt.NDArray[np.uint8]
    depth: npt.NDArray[np.float32]


class Rgbd:
    """Renders the robot's camera; make it, use it and close it on one thread."""

    def __init__(self, model: Any, camera: Camera) -> None:
        self.camera = camera
        self._stage = Stage(model, camera.width, camera.height)
        self._view = mujoco.MjvCamera()
        self._view.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._view.fixedcamid = model.camera(CAMERA).id
        self._near, self._far = model.vis.map.znear * model.stat.extent, model.vis.map.zfar * model.stat.extent

    def frame(self, data: Any) -> Frame:
        """The camera's picture of the present state."""
        rgb, window = self._stage.draw(data, self._view)
        return Frame(rgb[::-1].copy(), self._metres(window))

    def close(self) -> None:
        """Frees the renderer."""
        self._stage.close()

    def _metres(self, window: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Distances from the reversed window depth, which is 1 at the near plane and 0 at the far one."""
        near, far = np.float32(self._near), np.float32(self._far)
        depth: npt.NDArray[np.float32] = near * far / (window[::-1] * (far - near) + near)
        depth[depth > self.camera.far_m] = np.inf
        depth[depth < self.camera.near_m] = -np.inf
        return depth


class Stage:
    """An offscreen drawing surface of one size for one model."""

    def __init__(self, model: Any, width: int, height: int) -> None:
        self._model, self._rect = model, mujoco.MjrRect(0, 0, width, height)
        self._surface = mujoco.GLContext(width, height)
        self._surface.make_current()
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._context)
        self._context.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR
        self.scene = mujoco.MjvScene(model, maxgeom=MAX_SHAPES)
        self._option = mujoco.MjvOption()
        self._option.geomgroup[:] = 0
        self._option.geomgroup[SEEN] = 1
        self._rgb = np.zeros((height, width, 3), np.uint8)
        self._window = np.zeros((height, width), np.float32)

    def draw(self, data: Any, view: Any) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """Colour and window depth, both upside down and valid until the next call."""
        self._surface.make_current()
        everything = mujoco.mjtCatBit.mjCAT_ALL.value
        mujoco.mjv_updateScene(self._model, data, self._option, None, view, everything, self.scene)
        mujoco.mjr_render(self._rect, self.scene, self._context)
        mujoco.mjr_readPixels(self._rgb, self._window, self._rect, self._context)
        return self._rgb, self._window

    def close(self) -> None:
        """Frees the surface; drawing is over."""
        self._surface.make_current()
        self._context.free()
        self._surface.free()
