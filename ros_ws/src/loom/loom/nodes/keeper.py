"""keeper: the parent of all processes of the robot; it is what `ros2 launch` starts, and no ROS node itself."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from loom.core.clock import NANOSECONDS, wall_ns
from loom.core.errors import ConfigError
from loom.ros.plan import processes, supervision_tree
from loom.supervise.crew import Born, Crew
from loom.supervise.keeper import BAD_CONFIG, Keeper
from loom.supervise.name_lock import hold


def main() -> None:
    """Runs the robot until told to end; in a forked process, its nodes."""
    try:
        sys.exit(keep(arguments(sys.argv)))
    except ConfigError as error:
        print(f'error: {error}', file=sys.stderr, flush=True)
        sys.exit(BAD_CONFIG)
    except Born as child:
        # Outside of the except clause nothing holds the keeper's frames any longer.
        born = child.with_traceback(None)
    signal.set_wakeup_fd(-1)
    from loom.ros.kept import Kept
    from loom.ros.process import run
    from loom.supervise.link import Link
    run(kept=Kept(Link(born.channel), born.nodes))


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line without what ROS adds to it."""
    parser = argparse.ArgumentParser(prog='keeper', description=__doc__)
    parser.add_argument('--processes_file', type=Path, required=True, help='the plan, like config/processes.yaml')
    parser.add_argument('--processes', default='few', choices=['one', 'few', 'many'])
    parser.add_argument('--sim', default='none')
    parser.add_argument('--autostart', default='true', choices=['true', 'false'])
    own = argv[1:argv.index('--ros-args')] if '--ros-args' in argv else argv[1:]
    return parser.parse_args(own)


def keep(given: argparse.Namespace) -> int:
    """The exit code, once all has ended."""
    plan = processes(given.processes_file, given.processes, given.sim)
    programs = {program.partition('=')[0]: program for nodes in plan.values() for program in nodes}
    tree = supervision_tree(given.processes_file, given.sim)
    asked: list[int] = []
    wake, poke = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(poke, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: asked.append(number))
    hold(next((w[6:] for w in sys.argv if w.startswith('__ns:=')), '')).detach()  # each fork holds the name, too
    crew = Crew(load, programs)
    crew.watch(wake)
    crew.adopt()
    nodes = {name.partition('=')[0]: tuple(p.partition('=')[0] for p in members) for name, members in plan.items()}
    return Keeper(nodes, tree, crew, 'active' if given.autostart == 'true' else 'stopped', log).run(lambda: any(asked))


def load(programs: Sequence[str]) -> None:
    """Imports programs, with what comes with their first use."""
    from loom.ros.preload import preload
    preload(programs)


def log(level: str, text: str) -> None:
    """A line as ROS prints it."""
    print(f'[{level}] [{wall_ns() / NANOSECONDS:.9f}] [keeper]: {text}', file=sys.stderr, flush=True)


if __name__ == '__main__':
    main()
