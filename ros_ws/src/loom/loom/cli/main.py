"""loom: bring the robot up, speak to it, see what it is doing."""

from __future__ import annotations

import signal
import sys

import typer

from loom.cli.bus import bus
from loom.cli.dev import dev
from loom.cli.doctor import doctor
from loom.cli.latency import latency
from loom.cli.listing import list_robot
from loom.cli.new import new
from loom.cli.run import run
from loom.cli.say import say
from loom.cli.settings import settings
from loom.cli.up import up
from loom.core.errors import LoomError
from loom.core.leaving import leave

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
PASS_ON = {'allow_extra_args': True, 'ignore_unknown_options': True}
app.command(context_settings=PASS_ON)(up)
app.command()(say)
app.command('list')(list_robot)
app.command(context_settings=PASS_ON)(run)
app.command()(new)
app.command()(dev)
app.command()(doctor)
app.command()(settings)
app.command()(latency)
app.command()(bus)


def main() -> None:
    """Runs the command line; errors of Loom are one line and exit code 1."""
    # SIGTERM unwinds like SIGINT, so that a robot that was started here is ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except LoomError as error:
        print(f'error: {error}', file=sys.stderr)
        _end(1)
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        _end(ended.code if isinstance(ended.code, int) else int(ended.code is not None))


def _end(code: int) -> None:
    if shared_memory := sys.modules.get('loom.ros.shared_memory'):
        shared_memory.reclaim(own=True)
    if participant := sys.modules.get('loom.ros.participant'):
        participant.depart()
    leave(code)
