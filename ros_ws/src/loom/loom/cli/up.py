"""loom up: the robot's launch file."""

from __future__ import annotations

import os

import typer

LAUNCH = ['ros2', 'launch', 'loom', 'bringup.launch.py']


def up(context: typer.Context) -> None:
    """Bring the robot up, in simulation unless told otherwise: loom up world:=warehouse."""
    os.execvp(LAUNCH[0], [*LAUNCH, *context.args])
