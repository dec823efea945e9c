"""Plays one exercise with several peers in turns, so that what else the machine does strikes all of them alike."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bus.exchange import SPARE_S, Task
from bus.peer import Peer
from robot import family

from loom.ros.shared_memory import FOLDER, reclaim

ROUNDS = 5
POLL_S = 0.05
FOREIGN = ('*.zenoh', 'loom_bench_*')


@dataclass(frozen=True)
class Exercise:
    """Bytes a message, messages a second, how many count in each round."""

    name: str
    size: int
    rate: float
    count: int


@dataclass
class Outcome:
    """What one peer did in all rounds."""

    latencies_us: list[float] = field(default_factory=list)
    medians_us: list[float] = field(default_factory=list)
    cpus_us: list[float] = field(default_factory=list)
    lost: int = 0

    @property
    def p50_us(self) -> float:
        """Median over all messages of all rounds."""
        return statistics.median(self.latencies_us)

    @property
    def p99_us(self) -> float:
        """99 of 100 messages were quicker."""
        return sorted(self.latencies_us)[int(len(self.latencies_us) * 0.99)]

    @property
    def cpu_us(self) -> float:
        """CPU time of both processes for each message, median of the rounds."""
        return statistics.median(self.cpus_us)


Outcomes = dict[str, Outcome]


def play(exercise: Exercise, peers: Sequence[Peer], rounds: int = ROUNDS) -> Outcomes:
    """A B A B ...; each round begins with another peer. Without the peers that can't take part."""
    present = [peer for peer in peers if peer.installed]
    for peer in peers:
        if peer not in present:
            print(f'  {exercise.name}: no rows for {peer.name}, it is not installed', flush=True)
    outcomes = {peer.name: Outcome() for peer in present}
    with clean_shared_memory():
        for number in range(rounds):
            for peer in (*present[number % len(present):], *present[:number % len(present)]):
                _record(outcomes[peer.name], exercise, run(peer, exercise))
            print(f'  {exercise.name} {number + 1}/{rounds}: ' + ', '.join(
                f'{name} {outcome.medians_us[-1]:,.0f}' for name, outcome in outcomes.items()) + ' us', flush=True)
    return outcomes


def run(peer: Peer, exercise: Exercise) -> dict[str, Any]:
    """One round of one peer: the reports of both sides; RuntimeError with their output where they failed."""
    with tempfile.TemporaryDirectory(prefix='loom_bench_') as name, open(Path(name) / 'output', 'w+b') as output:
        task = Task(exercise.size, exercise.rate, exercise.count, Path(name))
        running = [subprocess.Popen(command, env=peer.variables(), stdin=subprocess.DEVNULL, stdout=output,
                                    stderr=subprocess.STDOUT, cwd=name) for command in peer.commands(task)]
        try:
            deadline_s = time.monotonic() + exercise.count / exercise.rate + SPARE_S
            while any(process.poll() is None for process in running) and time.monotonic() < deadline_s:
                if any(process.poll() for process in running):
                    break
                time.sleep(POLL_S)
            return {role: json.loads((task.folder / f'{role}.json').read_text()) for role in ('send', 'receive')}
        except FileNotFoundError as error:
            output.seek(0)
            raise RuntimeError(f'{peer.name} must finish {exercise.name} in time, but there is no {error.filename}; '
                               f'it said:\n{output.read()[-3000:].decode(errors="replace")}') from None
        finally:
            for process in running:
                _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        for pid in family(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def _record(outcome: Outcome, exercise: Exercise, reports: dict[str, Any]) -> None:
    received = reports['receive']
    if received['corrupt'] or not received['latencies_us']:
        raise RuntimeError(f'messages must arrive whole, {received["corrupt"]} of {exercise.count} were corrupt')
    outcome.latencies_us += received['latencies_us']
    outcome.medians_us.append(statistics.median(received['latencies_us']))
    outcome.cpus_us.append((received['cpu_s'] + reports['send']['cpu_s']) * 1e6 / exercise.count)
    outcome.lost += exercise.count - len(received['latencies_us'])


@contextmanager
def clean_shared_memory() -> Iterator[None]:
    """Afterwards nothing is left there of what the peers put there."""
    before = _foreign()
    try:
        yield
    finally:
        reclaim()
        for path in _foreign() - before:
            path.unlink(missing_ok=True)


def _foreign() -> set[Path]:
    return {path for pattern in FOREIGN for path in FOLDER.glob(pattern)}
