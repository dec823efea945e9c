"""loom dev: agents from files, reloaded as they are saved; what fails is said, and the old ones go on."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape

from loom.core.errors import ConfigError, LoomError

if TYPE_CHECKING:
    from loom.act.body import Body
    from loom.agents.directory import AgentCard
    from loom.agents.hot_swap import HotSwap, Site
    from loom.agents.local_team import LocalTeam
    from loom.agents.reload import Digests, Source
    from loom.core.bus import Bus

LOOK_S = 0.1
# Of the looks at the files, every so manieth is also one for files that are new in a folder.
FOLDER_LOOKS = 5
HOST = 'dev_host'


def dev(targets: Annotated[list[str], typer.Argument(help='Files, folders, or module:attribute.')],
        local: Annotated[bool, typer.Option('--local', help='Without a robot and without ROS.')] = False,
        namespace: Annotated[str, typer.Option('--namespace', '-n', help='Namespace of the robot.')] = '') -> None:
    """Run agents and reload them as their files change: loom dev guard.py

    They run on the robot that is up. Where a new version has an error, or does not start, the old one goes on.
    """
    console = Console(soft_wrap=True)
    handler = RichHandler(console=console, show_path=False, log_time_format='%X')
    log = logging.getLogger('loom')
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        watch = Watch(targets, console)
        with suppress(KeyboardInterrupt), _site(local, namespace) as site:
            watch.run(site)
    finally:
        log.removeHandler(handler)


class Watch:
    """Looks at the files of agents, and lets those of each changed file be replaced."""

    def __init__(self, targets: Sequence[str], console: Console) -> None:
        from loom.agents.reload import sources
        self._console = console
        self._folders = [Path(target).absolute() for target in targets if Path(target).is_dir()]
        self._found = [source for target in targets for source in sources(target)]
        self._units: list[_Unit] = []

    def run(self, site: Site) -> None:
        """Runs the agents until KeyboardInterrupt, then ends them."""
        looks = 0
        try:
            for source in self._found:
                self._add(source, site)
            if not site.memory():
                self._console.print('[yellow]note[/] no memory server is up: what they remember ends with a reload')
            self._console.print('edit and save: I reload; Ctrl-C ends me')
            while True:
                if looks % FOLDER_LOOKS == 0:
                    self._look_at_folders(site)
                for unit in list(self._units):
                    if unit.changed():
                        self._load(unit)
                site.attend(self._cards())
                looks += 1
                time.sleep(LOOK_S)
        finally:
            with ThreadPoolExecutor(max(len(self._units), 1)) as pool:
                list(pool.map(lambda unit: unit.swap.stop(), self._units))
            site.attend(())

    def _look_at_folders(self, site: Site) -> None:
        from loom.agents.reload import Source, agent_files
        for folder in self._folders:
            known = {unit.source.file for unit in self._units}
            for file in agent_files(folder):
                if file not in known:
                    self._add(Source(file), site)

    def _add(self, source: Source, site: Site) -> None:
        from loom.agents.hot_swap import HotSwap
        unit = _Unit(source, HotSwap(site))
        self._units.append(unit)
        self._load(unit)
        site.attend(self._cards())

    def _load(self, unit: _Unit) -> None:
        if unit.source.file.parent in self._folders and not unit.source.file.is_file():
            self._units.remove(unit)
            unit.swap.stop()
            self._console.print(f'[yellow]ended[/] {self._name(unit)}: the file is gone')
            return
        began_s, before = time.perf_counter(), unit.swap.names
        try:
            program = unit.source.load({other.source.file for other in self._units})
            taken = {name for other in self._units if other is not unit for name in other.swap.names}
            for agent in program.agents:
                if agent.name in taken:
                    raise ConfigError(f'{unit.source.file}: an agent named {agent.name!r} runs already, from another '
                                      f'file; names are unique on a robot')
            notice = unit.swap.replace(program)
        except LoomError as error:
            goes_on = f'the old {", ".join(unit.swap.names)} goes on' if unit.swap.names else 'nothing of it runs'
            self._console.print(f'[red]failed[/] {self._name(unit)}, {goes_on}:\n  {escape(self._short(str(error)))}')
            return
        took_ms = 1000 * (time.perf_counter() - began_s)
        word = 'reloaded' if before else 'running'
        self._console.print(f'[green]{word}[/] {self._name(unit)} in {took_ms:.0f} ms: {_change(before, unit.swap)}')
        if notice:
            self._console.print(f'[yellow]note[/] {escape(notice)}')

    def _cards(self) -> tuple[AgentCard, ...]:
        return tuple(card for unit in self._units for card in unit.swap.cards())

    def _name(self, unit: _Unit) -> str:
        return escape(self._short(str(unit.source.file)))

    def _short(self, text: str) -> str:
        return text.replace(f'{Path.cwd()}{os.sep}', '')


class _Unit:
    """One file and its agents at work."""

    def __init__(self, source: Source, swap: HotSwap) -> None:
        self.source = source
        self.swap = swap
        self._before: Digests = {}

    def changed(self) -> bool:
        """Whether a file of it is another one since it was loaded, and is no longer being written."""
        now = self.source.look()
        steady, self._before = now == self._before, now
        return steady and now != self.source.digests


def _change(before: Sequence[str], swap: HotSwap) -> str:
    now = swap.names
    marks = [f'[green]+{name}[/]' if before and name not in before else name for name in now]
    return ', '.join([*marks, *(f'[red]-{name}[/]' for name in before if name not in now)])


def _site(local: bool, namespace: str) -> AbstractContextManager[Site]:
    if local:
        return _local_site()
    from loom.ros.dev_host import dev_host
    return dev_host(namespace)


@contextmanager
def _local_site() -> Iterator[Site]:
    from loom.agents.local_team import LocalTeam
    from loom.memory.memory import Memory
    from loom.memory.server import MemoryServer
    from loom.memory.sqlite_store import SqliteStore
    from loom.reason.openai_http import servers_named
    with LocalTeam(backends=servers_named(os.environ)) as team:
        memory = Memory(SqliteStore(), team.clock)
        server = MemoryServer(team.bus, team.clock, memory)
        try:
            yield _LocalSite(team)
        finally:
            server.close()
            memory.close()


class _LocalSite:
    """A LocalBus with broker, models and memory."""

    body: Body | None = None

    def __init__(self, team: LocalTeam) -> None:
        self.bus: Bus = team.bus
        self.clock = team.clock
        self._broker = team.broker

    def memory(self) -> str:
        from loom.memory.server import ADDRESS
        return ADDRESS

    def run(self, work: Callable[[], Any]) -> Any:
        return work()

    def attend(self, cards: tuple[AgentCard, ...]) -> None:
        from loom.agents.directory import capabilities
        self._broker.update(HOST, tuple(capabilities(cards).values()))
        self._broker.tick()
