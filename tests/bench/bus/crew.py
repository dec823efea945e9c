"""Processes of one exercise: started in a folder of their own, told what to do through a tally, gone at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bus.peer import HERE
from bus.tally import Tally

START_S, END_S, POLL_S = 30.0, 15.0, 0.02
# What the first counter of `control` says.
RUN, QUIET, END = range(3)
WORDS = 4


class Crew:
    """Programs of this folder by name."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.control = Tally(folder / 'control', WORDS)
        self._environment = {**os.environ, **environment, 'PYTHONFAULTHANDLER': '1',
                             'PYTHONPATH': f'{HERE.parent}:{os.environ.get("PYTHONPATH", "")}'}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, module: str, *arguments: object) -> None:
        """`python -m bus.<module> <arguments>`, in the folder."""
        with (self.folder / f'{name}.output').open('wb') as output:
            self._running[name] = subprocess.Popen(
                [sys.executable, '-m', f'bus.{module}', *map(str, arguments)], cwd=self.folder, env=self._environment,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)

    def pid(self, name: str) -> int:
        """The process of that name."""
        return self._running[name].pid

    def signal(self, name: str, number: int) -> None:
        """Sends a signal to one."""
        self._running[name].send_signal(number)

    def wait_for(self, condition: Callable[[], object], what: str, timeout_s: float = START_S) -> None:
        """RuntimeError with what everybody said where it does not come true."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                raise RuntimeError(f'{what} must happen within {timeout_s:g} s, and did not:\n{self.outputs()}')
            self.check()
            time.sleep(POLL_S)

    def check(self) -> None:
        """RuntimeError where one failed by itself."""
        for name, process in self._running.items():
            if process.poll() not in (None, 0, -signal.SIGKILL):
                raise RuntimeError(f'{name} failed with {process.poll()}:\n{self.outputs()}')

    def end(self) -> None:
        """Tells everybody to end, and waits until all did."""
        self.control[0] = END
        self.wait_for(lambda: all(process.poll() is not None for process in self._running.values()), 'the end', END_S)
        self.check()

    def kill(self) -> None:
        """Nobody is left."""
        for process in self._running.values():
            process.kill()
            process.wait()

    def outputs(self) -> str:
        """The last that each of them said."""
        texts = {name: (self.folder / f'{name}.output').read_text(errors='replace') for name in self._running}
        return '\n'.join(f'{name}: {text[-2000:]}' for name, text in texts.items() if text)


@contextmanager
def crew_in(environment: Mapping[str, str]) -> Iterator[Crew]:
    """A crew whose processes and files are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix='loom_bench_') as name:
        crew = Crew(Path(name), environment)
        try:
            yield crew
        finally:
            crew.kill()
