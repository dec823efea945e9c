"""MuJoCo, imported with the offscreen graphics that this machine has (door of mujoco)."""

from __future__ import annotations

import ctypes.util
import os
from pathlib import Path
from typing import Any


def graphics_backend() -> str:
    """`egl` where there is a GPU, else `osmesa` where it is installed (twice as fast without one), else `egl`."""
    gpu = any(Path('/dev/dri').glob('renderD*')) or Path('/dev/nvidia0').exists()
    return 'osmesa' if not gpu and ctypes.util.find_library('OSMesa') else 'egl'


def load() -> Any:
    """The mujoco module; MUJOCO_GL must be set before its first import, which is why it is imported here only."""
    os.environ.setdefault('MUJOCO_GL', graphics_backend())
    import mujoco
    return mujoco


mujoco = load()
