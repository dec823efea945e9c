"""loom run: a mission from bring-up to its result."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import time
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console

from loom.cli.up import LAUNCH
from loom.core.event import Event

MISSION_S = 300.0
END_S = 20.0


def run(context: typer.Context,
        mission: Annotated[str, typer.Argument(help='Name of the mission, e.g. fetch_report.')],
        timeout_s: Annotated[float, typer.Option(min=1, max=86400, help='Seconds until it counts as failed.')]
        = MISSION_S) -> None:
    """Bring everything up, carry out a mission, end everything; exit 0 when it succeeded: loom run fetch_report."""
    from loom.ros.client import robot_client
    console = Console()
    namespace = next((a.split(':=')[1] for a in context.args if a.startswith('namespace:=')), '')
    launch = subprocess.Popen([*LAUNCH, f'mission:={mission}', *context.args], start_new_session=True)
    try:
        with robot_client(namespace) as robot:
            result = _wait(robot.events('mission.result'), launch, timeout_s)
    finally:
        _end(launch)
    reason = result if isinstance(result, str) else '' if result.data['success'] else result.data['reason']
    if isinstance(result, str) or reason:
        console.print(f'[red]mission {mission} failed:[/red] {reason}')
        raise typer.Exit(1)
    console.print(f'[green]mission {mission} succeeded:[/green] {result.data["report"]}')


def _wait(results: queue.Queue[Event], launch: subprocess.Popen[bytes], timeout_s: float) -> Event | str:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if launch.poll() is not None:
            return f'the robot ended with exit code {launch.returncode} before the mission did'
        with suppress(queue.Empty):
            return results.get(timeout=0.2)
    return f'no result within {timeout_s:.0f} s'


def _end(launch: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if launch.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(launch.pid, number)
            with suppress(subprocess.TimeoutExpired):
                launch.wait(END_S)
