"""What all programs of the comparison share: verified messages at a steady rate, and the books on their latency.

A message is text: when it was about to be copied in (CLOCK_MONOTONIC, ns), its number, and letters that never change.
The sender knocks until the receiver has heard it, warms up, sends what counts, and goes on until the receiver has
reported, so that a message lost at the end holds nobody up. Numbers below 0 do not count.
"""

from __future__ import annotations

import argparse
import json
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

STAMP, HEADER = 20, 32
WARM_UP_S = 0.5
# A program whose partner has died ends by itself.
SPARE_S = 20


@dataclass(frozen=True)
class Task:
    """Bytes a message, messages a second, how many count, and the folder in which both sides report."""

    size: int
    rate: float
    count: int
    folder: Path

    def message(self) -> bytearray:
        """A message with its letters, not yet stamped."""
        return bytearray(np.random.default_rng(0).integers(ord('a'), ord('z'), self.size, np.uint8).tobytes())

    def arguments(self) -> list[str]:
        """The command line that `main` reads."""
        return [str(self.size), str(self.rate), str(self.count), str(self.folder)]

    def report(self, role: str, **figures: Any) -> None:
        """Leaves the report in one piece."""
        draft = self.folder / f'{role}.draft'
        draft.write_text(json.dumps(figures))
        draft.rename(self.folder / f'{role}.json')


class Reader:
    """Reads messages whole, on behalf of a receiver, and keeps the books."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._sum = _sum(task.message())
        self._latencies_us: list[float] = []
        self._corrupt = 0
        self._began_s = 0.0
        self._heard = False

    def read(self, data: Any) -> bool:
        """Takes any buffer; True when this was the last message."""
        whole = _sum(data) == self._sum
        now_ns = time.monotonic_ns()
        header = bytes(memoryview(data)[:HEADER])
        number = int(header[STAMP:])
        if not self._heard:
            self._heard = True
            (self._task.folder / 'heard').touch()
        if number < 0:
            self._began_s = time.process_time()
        elif number < self._task.count:
            self._corrupt += not whole
            self._latencies_us.append((now_ns - int(header[:STAMP])) / 1e3)
        if number < self._task.count - 1:
            return False
        self._task.report('receive', latencies_us=self._latencies_us, corrupt=self._corrupt,
                          cpu_s=time.process_time() - self._began_s)
        return True


class Messages:
    """One and the same buffer, stamped anew each time; ends when the receiver has reported.

    `rest` is called with the seconds until the next one; a sender that has something else to do meanwhile replaces it.
    """

    def __init__(self, task: Task) -> None:
        self.rest: Callable[[float], object] = time.sleep
        self._task = task

    def __iter__(self) -> Iterator[bytearray]:
        task, message = self._task, self._task.message()
        number, first = -1 - round(WARM_UP_S * task.rate), -round(WARM_UP_S * task.rate)
        heard, reported = task.folder / 'heard', task.folder / 'receive.json'
        began_s, due_s = 0.0, time.monotonic()
        while number < task.count or not reported.exists():
            if number == 0:
                began_s = time.process_time()
            message[:HEADER] = b'%020d%+012d' % (time.monotonic_ns(), number)
            yield message
            if number >= first or heard.exists():
                number += 1
            if number == task.count:
                task.report('send', cpu_s=time.process_time() - began_s)
            due_s = max(due_s + 1 / task.rate, time.monotonic())
            self.rest(max(0.0, due_s - time.monotonic()))


def main(send: Callable[[Messages], Any], receive: Callable[[Reader], Any]) -> None:
    """Runs the role that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument('role', choices=('send', 'receive'))
    for name, kind in (('size', int), ('rate', float), ('count', int), ('folder', Path)):
        parser.add_argument(name, type=kind)
    options = vars(parser.parse_args())
    role, task = options.pop('role'), Task(**options)
    signal.alarm(int(task.count / task.rate) + SPARE_S)
    if role == 'send':
        send(Messages(task))
    else:
        receive(Reader(task))


def _sum(data: Any) -> int:
    return int(np.frombuffer(data, np.uint64, offset=HEADER).sum())
