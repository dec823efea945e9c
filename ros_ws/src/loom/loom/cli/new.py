"""loom new: a file to begin with, and a test that passes."""

from __future__ import annotations

from enum import Enum
from keyword import iskeyword
from pathlib import Path
from string import Template
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from loom.core.errors import ConfigError

AGENT = Template('''"""$name: greets whoever the camera sees."""

from __future__ import annotations

from pydantic import BaseModel, Field

from loom import Agent, Context, Event


class Settings(BaseModel):
    """Settings; LOOM_AGENT_${upper}_GREETING in the environment wins."""

    greeting: str = Field(default='hello', description='What to say first.')


$name = Agent('$name', config=Settings())


@$name.on('camera.*.person')
async def notice(ctx: Context, event: Event) -> None:
    """Tells everybody whom it greeted."""
    await ctx.emit('$name.greeted', {'text': f'{ctx.config.greeting} {event.data["name"]}'})


@$name.capability
async def greet_$name(ctx: Context, who: str, times: int = 1) -> str:
    """Greet somebody this many times."""
    return ' '.join([f'{ctx.config.greeting} {who}'] * times)
''')
TEST = Template('''"""$name, in this process: no robot and no ROS needed."""

from __future__ import annotations

import pytest
from $name import $name

from loom import LocalTeam
from loom.core.errors import CapabilityError


def test_a_person_is_greeted() -> None:
    with LocalTeam($name) as team:
        team.emit('camera.front.person', {'name': 'Ann'})
        assert team.wait('$name.greeted').data == {'text': 'hello Ann'}


def test_greeting_on_request() -> None:
    with LocalTeam($name, settings=['$name.greeting=hi']) as team:
        assert team.act('greet_$name', who='Ann', times=2) == 'hi Ann hi Ann'
        with pytest.raises(CapabilityError, match="'who' is a required property"):
            team.act('greet_$name')
''')


class Kind(str, Enum):
    """What can be made."""

    agent = 'agent'


def new(kind: Annotated[Kind, typer.Argument(help='What to make.')],
        name: Annotated[str, typer.Argument(help='Its name, one lower_snake word.')],
        folder: Annotated[Path, typer.Option('--in', help='Folder to make it in.')] = Path('.')) -> None:
    """Make an agent with a test that passes: loom new agent guard"""
    from loom.agents.agent import Agent
    if iskeyword(Agent(name).name):
        raise ConfigError(f'an agent name must be a word that Python can import, got {name!r}')
    files = {folder / f'{name}.py': AGENT, folder / f'test_{name}.py': TEST}
    for path in files:
        if path.exists():
            raise ConfigError(f'{path} is there already; give the agent another name, or another folder with --in')
    folder.mkdir(parents=True, exist_ok=True)
    for path, template in files.items():
        path.write_text(template.substitute(name=name, upper=name.upper()))
    console = Console()
    console.print(f'made {" and ".join(str(path) for path in files)}')
    console.print(f'test it: cd {folder} && python -m pytest test_{name}.py')
    console.print(f'run it on the robot that is up, and edit it there: loom dev {folder / name}.py')
    console.print('run it from the start:', escape(
        f'PYTHONPATH={folder.resolve()} LOOM_AGENT_HOST_AGENTS="[{name}:{name}]" loom up'))
