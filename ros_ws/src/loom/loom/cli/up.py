"""loom up: the robot's launch file."""

from __future__ import annotations

import os

import typer


def up(context: typer.Context) -> None:
    """Bring the robot up, in simulation unless told otherwise: loom up world:=warehouse."""
    from loom.ros.launched import LAUNCH
    os.execvp(LAUNCH[0], [*LAUNCH, *context.args])
