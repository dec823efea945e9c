"""Publishers and subscribers are killed under load: nothing of them stays, and the survivors lose nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

rclpy = pytest.importorskip('rclpy')

from burial import bury_the_dead  # noqa: E402
from process_tree import runs, shared_memory  # noqa: E402

from loom.core import credit  # noqa: E402
from loom.core.delivery import BATCHED  # noqa: E402
from loom.core.event import Event  # noqa: E402
from loom.ros.bus import RosBus  # noqa: E402
from loom.ros.shared_memory import reclaim  # noqa: E402

Until = Callable[..., None]
KILLS = 100
ALIVE = 8
# Imports once and forks before ROS starts, so that a process takes a quarter of a second instead of one. Each line it
# reads is a role; it answers with the process id. `writer` counts until SIGTERM, then says how far it came.
NURSERY = """
import os, signal, sys, time
import rclpy
from loom.core.delivery import BATCHED
from loom.core.errors import BusyError
from loom.core.event import Event
from loom.ros.bus import RosBus
from loom.ros.participant import depart, process_context
from loom.ros.process import new_executor, die_with_parent

def live(role):
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    node = rclpy.create_node(f'{role}_{os.getpid()}', namespace=sys.argv[1], context=process_context())
    bus = RosBus(node)
    sent = [0]

    def tell():
        if stopped:
            return
        event_type = 'test.kept' if role == 'writer' else 'test.noise'
        try:
            bus.publish(Event.create(event_type, sent[0], source=role, stamp_ns=time.time_ns()), BATCHED)
            sent[0] += 1
        except BusyError:
            pass
    if role == 'subscriber':
        bus.subscribe('test.**', lambda event: None, BATCHED)
    else:
        node.create_timer(0.005, tell)
    executor = new_executor(process_context())
    executor.add_node(node)
    while not stopped:
        executor.spin_once(timeout_sec=0.1)
    print('sent', sent[0], flush=True)
    while len(stopped) < 2:
        executor.spin_once(timeout_sec=0.1)
    bus.close()
    node.destroy_node()
    depart()

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        die_with_parent()
        live(line.strip())
        os._exit(0)
    print(child, flush=True)
"""


class Nursery:
    """Starts processes by role, and kills them."""

    def __init__(self, namespace: str) -> None:
        self._process = subprocess.Popen([sys.executable, '-c', NURSERY, namespace], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.left: set[Path] = set()

    def start(self, role: str) -> int:
        """The id of a new process."""
        assert self._process.stdin is not None
        self._process.stdin.write(f'{role}\n')
        self._process.stdin.flush()
        return int(self.line())

    def line(self) -> str:
        """The next line that one of them says."""
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def kill(self, process_id: int) -> None:
        """Ends a process where it stands; what it had in shared memory is written down."""
        os.kill(process_id, signal.SIGSTOP)
        self.left |= shared_memory(process_id)
        os.kill(process_id, signal.SIGKILL)
        bury_the_dead(process_id)

    def close(self) -> None:
        """Ends all."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@pytest.fixture
def nursery(ros: Any) -> Iterator[Nursery]:
    made = Nursery(ros.namespace)
    yield made
    made.close()


def test_the_killed_leave_nothing_and_the_living_lose_nothing(ros: Any, nursery: Nursery, until: Until) -> None:
    bus = RosBus(ros.add(rclpy.create_node, 'survivor'))
    kept: list[int] = []
    noise: list[Event] = []
    bus.subscribe('test.kept', lambda event: kept.append(event.data), BATCHED)
    bus.subscribe('test.noise', noise.append, BATCHED)
    writer = nursery.start('writer')
    until(lambda: kept, 'the writer says nothing')
    dice = random.Random(100)
    alive = [nursery.start(dice.choice(('publisher', 'subscriber'))) for _ in range(ALIVE)]
    until(lambda: noise, 'nobody makes noise')
    for _ in range(KILLS):
        # Some die while they start, others under load.
        goal = len(kept) + dice.randrange(40)
        until(lambda goal=goal: len(kept) >= goal, 'the survivors stand still')
        nursery.kill(alive.pop(dice.randrange(len(alive))))
        alive.append(nursery.start(dice.choice(('publisher', 'subscriber'))))
    for victim in alive:
        nursery.kill(victim)
        until(lambda pid=victim: not runs(pid), 'a killed process lives')
    os.kill(writer, signal.SIGTERM)
    sent = int(nursery.line().split()[1])
    with suppress(AssertionError):
        until(lambda: len(kept) >= sent)
    account, = (account for account, _ in bus.reception.accounts() if account.topic.endswith('kept'))
    assert kept == list(range(sent)) and not account.dropped, (
        f'{len(kept)} of {sent} events came, the last is {kept[-1]}, missing are '
        f'{sorted(set(range(sent)) - set(kept))[:5]}: {account}')
    held = shared_memory(os.getpid()) | shared_memory(writer)
    reclaim()
    left = {path for path in nursery.left - held if path.exists()}
    assert not left, f'{len(left)} of {len(nursery.left)} are left: {sorted(left)[:5]}'
    os.kill(writer, signal.SIGTERM)


def test_a_killed_reader_holds_nobody_up(ros: Any, nursery: Nursery, until: Until,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credit, 'LEASE_S', 1000.0)
    bus = RosBus(ros.add(rclpy.create_node, 'survivor'))

    def readers() -> int:
        bus.publish(Event.create('test.kept', 0, source='survivor', stamp_ns=0), BATCHED)
        return len(bus._writer('loom/events/test/kept', 'test.kept', BATCHED).outlet._limits)  # type: ignore[union-attr]
    reader = nursery.start('subscriber')
    until(readers, 'it grants nothing')
    nursery.kill(reader)
    until(lambda: not readers(), 'the killed reader still counts')
