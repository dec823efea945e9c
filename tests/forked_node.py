"""A process that imports a node once and forks it, active, for each line it reads: the next one is there at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from burial import bury_the_dead
from process_tree import runs

CODE = """
import os, signal, sys
from loom.ros.process import node_class, run

name = sys.argv.pop(1)
base = node_class(name)

class Active(base):
    def __init__(self):
        super().__init__(node_name=name)
        self.trigger_configure()
        self.trigger_activate()

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        run(Active)
    print(child, flush=True)
"""


class Nursery:
    """Starts incarnations of one node, with environment and parameters, below a namespace."""

    def __init__(self, name: str, namespace: str, log: Path, **parameters: Any) -> None:
        arguments = [sys.executable, '-c', CODE, name, '--ros-args', '-r', f'__ns:=/{namespace}']
        for parameter, value in parameters.items():
            arguments += ['-p', f'{parameter}:={value}']
        self._log = log
        with log.open('wb') as output:
            self._process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output,
                                             text=True, start_new_session=True)

    @property
    def log(self) -> str:
        """What all of them said."""
        return self._log.read_text(errors='replace')

    def start(self) -> int:
        """The process id of the next one."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write('\n')
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def kill(self, process_id: int, until: Callable[..., None]) -> None:
        """Ends one where it stands."""
        os.kill(process_id, signal.SIGKILL)
        until(lambda: not runs(process_id), 'a killed process lives')
        bury_the_dead()

    def close(self) -> None:
        """Ends all."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(5.0)
