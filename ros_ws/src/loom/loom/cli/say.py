"""loom say: a sentence typed instead of spoken."""

from __future__ import annotations

import queue
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

ANSWER_S = 10.0


def say(sentence: Annotated[str, typer.Argument(help='What you would say to the robot.')],
        namespace: Annotated[str, typer.Option('--namespace', '-n', help='Namespace of the robot.')] = '') -> None:
    """Type a sentence to the robot and see what it answers: loom say "go to the kitchen"."""
    from loom.ros.client import robot_client
    console = Console()
    with robot_client(namespace) as robot:
        robot.follow_clock()
        answers = robot.events('speaker.say')
        spoken = robot.publish('text.typed', {'text': sentence})
        try:
            while (answer := answers.get(timeout=ANSWER_S)).thread_id not in ('', spoken.thread_id, spoken.id):
                continue
            console.print(f'[bold]robot:[/bold] {escape(answer.data["text"])}')
        except queue.Empty:
            console.print(f'the robot heard it and said nothing within {ANSWER_S:.0f} s')
            raise typer.Exit(1) from None
