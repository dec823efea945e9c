"""loom run: a mission from bring-up to its result, or an example that needs no robot."""

from __future__ import annotations

import os
import queue
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from loom.core.errors import ConfigError

if TYPE_CHECKING:
    from loom.agents.example import Example
    from loom.core.event import Event
    from loom.ros.launched import LaunchedRobot

MISSION_S = 300.0


def run(context: typer.Context,
        mission: Annotated[str, typer.Argument(help='Name of the mission or example, e.g. fetch_report.')],
        timeout_s: Annotated[float, typer.Option(min=1, max=86400, help='Seconds until it counts as failed.')]
        = MISSION_S) -> None:
    """Bring everything up, carry out a mission, end everything; exit 0 when it succeeded: loom run fetch_report.

    An example needs no robot and takes its arguments as name:=value: loom run trio topic:=safety
    """
    from loom.agents.catalogue import example
    console = Console()
    found = example(mission)
    if found is not None:
        console.print(escape(_show(found, context.args)))
        return
    from loom.ros.launched import launched_robot
    if 'sim:=none' not in context.args:
        # The mission speaks into the robot's room by itself: real microphones would wait for a person.
        for device in ('LOOM_MICROPHONE_DEVICE', 'LOOM_SPEAKER_DEVICE'):
            os.environ.setdefault(device, 'virtual')
    with launched_robot(f'mission:={mission}', *context.args) as robot:
        result = _wait(robot.client.events('mission.result'), robot, timeout_s)
    if isinstance(result, str) or not result.data['success']:
        reason = result if isinstance(result, str) else result.data['reason'] or 'no reason given'
        console.print(f'[red]mission {mission} failed:[/red] {escape(reason)}')
        raise typer.Exit(1)
    console.print(f'[green]mission {mission} succeeded:[/green] {escape(result.data["report"])}')


def _show(example: Example, given: list[str]) -> str:
    """What an example gives, thinking with the server of LOOM_MODEL_ROUTER_OPENAI_URL where that is set."""
    from loom.agents.local_team import LocalTeam
    from loom.reason.openai_http import servers_named
    arguments = dict(example.arguments)
    if example.world:
        from loom.ros.sim_files import world_path
        arguments['world'] = str(world_path(example.world))
    for text in given:
        name, assigned, value = text.partition(':=')
        if not assigned:
            raise ConfigError(f'an argument of an example must be name:=value, got {text!r}')
        arguments[name] = value
    with LocalTeam(*example.agents, backends=servers_named(os.environ)) as team:
        return example.shown(team.act(example.capability, deadline_s=example.timeout_s, **arguments))


def _wait(results: queue.Queue[Event], robot: LaunchedRobot, timeout_s: float) -> Event | str:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if robot.process.poll() is not None:
            return f'the robot ended with exit code {robot.process.returncode} before the mission did'
        with suppress(queue.Empty):
            return results.get(timeout=0.2)
    return f'no result within {timeout_s:.0f} s'
