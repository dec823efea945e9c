"""Agents, brokers and routers are killed while others wait for them: each is answered once and in time."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

rclpy = pytest.importorskip('rclpy')

from burial import bury_the_dead  # noqa: E402

from loom import Agent, Context  # noqa: E402
from loom.act.capability import INTERRUPTED  # noqa: E402
from loom.agents.exchange import UNTAKEN_S  # noqa: E402
from loom.agents.host import AgentHost  # noqa: E402
from loom.agents.journal import MAGIC  # noqa: E402
from loom.core.clock import SystemClock  # noqa: E402
from loom.core.errors import CapabilityError, DeadlineError, LoomError, ModelError  # noqa: E402
from loom.ros.bus import RosBus  # noqa: E402
from loom.ros.client import robot_client  # noqa: E402

Until = Callable[..., None]
KILLS, BROKER_KILLS, SERVER_KILLS, ROUTER_KILLS = 100, 10, 5, 10
CALL_S = 10.0
# How long a question may take, and how long the model of nursery.py takes.
THINK_S, MODEL_S = 5.0, 0.1
# What an answer may take from the deadline to whoever asked, on a machine that is busy.
SLACK_S = 0.5
STREAMS = 2
LETTERS = 'abc'
ROLES = ('broker', *(f'worker_{letter}' for letter in LETTERS))


class Crowd:
    """Starts processes by role, and kills them; those of the given roles are always there."""

    def __init__(self, namespace: str, folder: Path, roles: Sequence[str] = ROLES) -> None:
        (folder / 'put').mkdir()
        script = Path(__file__).with_name('nursery.py')
        self._nursery = subprocess.Popen([sys.executable, str(script), namespace, str(folder)], text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self.alive = {role: self._start(role) for role in roles}

    def kill(self, role: str) -> None:
        """Kills a process where it stands and starts the next."""
        self.end(role)
        self.alive[role] = self._start(role)

    def end(self, role: str) -> None:
        """Kills a process for good."""
        killed = self.alive.pop(role)
        os.kill(killed, signal.SIGKILL)
        bury_the_dead(killed)

    def replace(self, role: str, by: str) -> None:
        """Kills a process and starts another in its place."""
        self.end(role)
        self.alive[by] = self._start(by)

    def close(self) -> None:
        """Ends all."""
        with suppress(ProcessLookupError):
            os.killpg(self._nursery.pid, signal.SIGKILL)
        self._nursery.wait()

    def _start(self, role: str) -> int:
        assert self._nursery.stdin is not None and self._nursery.stdout is not None
        self._nursery.stdin.write(f'{role}\n')
        self._nursery.stdin.flush()
        return int(self._nursery.stdout.readline())


class Stream:
    """Calls without end, several at once; what each is answered with is written down."""

    def __init__(self, bus: RosBus) -> None:
        self.values: list[tuple[str, str]] = []
        self.errors: list[tuple[str, int, str]] = []
        self.slowest_s = 0.0
        self.began = self.answered = 0
        self._ended = False
        self._host = AgentHost(bus, SystemClock(), Agent('client'))
        self._host.start()
        self._thread = threading.Thread(target=self._host.run, args=('client', self._all, 300.0))
        self._thread.start()

    def end(self) -> None:
        """No more calls; waits for the answers."""
        self._ended = True
        self._thread.join(CALL_S + 5.0)
        assert not self._thread.is_alive(), f'{self.answered} of {self.began} calls were answered'
        self._host.stop()

    async def _all(self, ctx: Context) -> None:
        names = [f'{verb}_{letter}' for verb in ('put', 'push') for letter in LETTERS]
        await asyncio.gather(*(self._one(ctx, name) for name in names for _ in range(STREAMS)))

    async def _one(self, ctx: Context, name: str) -> None:
        while not self._ended:
            self.began, since_s = self.began + 1, time.monotonic()
            try:
                self.values.append((name, await ctx.act(name, deadline_s=CALL_S)))
            except (CapabilityError, DeadlineError) as error:
                self.errors.append((name, error.code, str(error)))
            self.answered += 1
            self.slowest_s = max(self.slowest_s, time.monotonic() - since_s)


@pytest.fixture
def crowd(ros: Any, tmp_path: Path, until: Until) -> Iterator[Crowd]:
    made = Crowd(ros.namespace, tmp_path)
    journals = [tmp_path / 'journal' / f'worker_{letter}.journal' for letter in LETTERS]
    # A call that is older than the journal might have been carried out by somebody before.
    until(lambda: all(path.exists() and path.read_bytes()[:8] == MAGIC for path in journals), 'a worker does not start')
    yield made
    made.close()


@pytest.fixture
def stream(ros: Any, crowd: Crowd, until: Until) -> Iterator[Stream]:
    bus = RosBus(ros.add(rclpy.create_node, 'client'))
    made = Stream(bus)
    until(lambda: made.answered > 20, 'no calls are answered')
    yield made
    made.end()
    bus.close()


def check(stream: Stream, folder: Path) -> None:
    """Each call was answered once; each effect is there once, and none of which nobody knows."""
    assert stream.answered == stream.began
    results = Counter(call_id for _, call_id in stream.values)
    assert set(results.values()) == {1}
    put = {call_id for name, call_id in stream.values if name.startswith('put')}
    assert put == {path.name for path in (folder / 'put').iterdir()}
    runs = Counter((folder / 'pushed').read_text().split())
    twice = [call_id for call_id, count in runs.items() if count > 1]
    assert not twice, f'{len(twice)} of {len(runs)} were carried out twice'
    pushed = {call_id for name, call_id in stream.values if name.startswith('push')}
    assert pushed <= set(runs) and len(runs) - len(pushed) <= len(stream.errors)
    assert all(name.startswith('push') and code == INTERRUPTED and 'died while it ran' in text
               for name, code, text in stream.errors), stream.errors


def test_agents_are_killed_and_every_call_is_answered_and_carried_out_once(crowd: Crowd, stream: Stream, until: Until,
                                                                           tmp_path: Path) -> None:
    dice, since_s = random.Random(21), time.monotonic()
    for _ in range(KILLS):
        goal = stream.answered + dice.randrange(60)
        until(lambda goal=goal: stream.answered >= goal, 'the calls stand still')
        crowd.kill(f'worker_{dice.choice(LETTERS)}')
    stream.end()
    print(f'{KILLS} kills in {time.monotonic() - since_s:.1f} s: {stream.answered} calls, {len(stream.errors)} '
          f'interrupted, the slowest took {stream.slowest_s:.2f} s')
    check(stream, tmp_path)
    assert stream.errors, 'no call was interrupted'


def test_the_broker_is_killed_and_every_call_is_answered_and_carried_out_once(crowd: Crowd, stream: Stream,
                                                                              until: Until, tmp_path: Path) -> None:
    dice, since_s = random.Random(22), time.monotonic()
    for _ in range(BROKER_KILLS):
        goal = stream.answered + 1 + dice.randrange(40)
        until(lambda goal=goal: stream.answered >= goal, 'the calls stand still')
        crowd.kill('broker')
    stream.end()
    print(f'{BROKER_KILLS} kills in {time.monotonic() - since_s:.1f} s: {stream.answered} calls, '
          f'the slowest took {stream.slowest_s:.2f} s')
    check(stream, tmp_path)
    assert not stream.errors


def test_an_action_outlives_its_server(ros: Any, crowd: Crowd, until: Until, tmp_path: Path) -> None:
    crowd.replace('broker', 'action')
    dice, results, done = random.Random(23), [], threading.Event()
    with robot_client(ros.namespace) as client:
        def call() -> None:
            while not done.is_set():
                results.append(client.invoke('push_a', {}, CALL_S))
        thread = threading.Thread(target=call)
        thread.start()
        for _ in range(SERVER_KILLS):
            goal = len(results) + 1 + dice.randrange(3)
            until(lambda goal=goal: len(results) >= goal, 'the calls stand still')
            crowd.kill('action')
        done.set()
        thread.join(CALL_S + 5.0)
        assert not thread.is_alive() and len(results) > SERVER_KILLS
        assert sorted(results) == sorted((tmp_path / 'pushed').read_text().split())
        with pytest.raises(CapabilityError, match="no capability named 'pull_a'; did you mean"):
            client.invoke('pull_a', {}, CALL_S)
        crowd.end('action')
        with pytest.raises(DeadlineError, match="'push_a' must end within 0.5 s and did not; is action_broker active"):
            client.invoke('push_a', {}, 0.5)


class Curious:
    """An agent that asks the models without end, several questions at once; how each ended, and after how long."""

    def __init__(self, bus: RosBus) -> None:
        self.ends: list[tuple[str, str | LoomError, float]] = []
        self.began = 0
        self._ended = False
        self._host = AgentHost(bus, SystemClock(), Agent('curious'))
        self._host.start()
        self._thread = threading.Thread(target=self._host.run, args=('curious', self._all, 300.0))
        self._thread.start()

    def end(self) -> None:
        """No more questions; waits for the answers."""
        self._ended = True
        self._thread.join(THINK_S + 5.0)
        assert not self._thread.is_alive(), f'{len(self.ends)} of {self.began} questions ended'
        self._host.stop()

    async def think(self, ctx: Context, deadline_s: float) -> None:
        """One question."""
        prompt, since_s, ended = f'question {self.began}', time.monotonic(), ''
        self.began += 1
        try:
            ended = (await ctx.think(prompt, deadline_s=deadline_s)).text
        except (ModelError, DeadlineError) as error:
            ended = error
        self.ends.append((prompt, ended, time.monotonic() - since_s))

    async def _all(self, ctx: Context) -> None:
        async def go_on() -> None:
            while not self._ended:
                await self.think(ctx, THINK_S)
        await asyncio.gather(*(go_on() for _ in range(STREAMS)))


def test_the_router_is_killed_and_every_question_ends_in_its_time(ros: Any, until: Until, tmp_path: Path) -> None:
    bus, dice, witness = RosBus(ros.add(rclpy.create_node, 'client')), random.Random(26), tmp_path / 'thought'
    with closing(Crowd(ros.namespace, tmp_path, ['router'])) as crowd:
        curious = Curious(bus)
        until(lambda: len(curious.ends) > 5, 'no question is answered')
        for _ in range(ROUTER_KILLS):
            goal = len(curious.ends) + 1 + dice.randrange(10)
            until(lambda goal=goal: len(curious.ends) >= goal, 'the questions stand still')
            # While the model works.
            begun = witness.stat().st_size
            until(lambda begun=begun: witness.stat().st_size > begun, 'the model is not asked')
            crowd.kill('router')
        curious.end()
        check_thoughts(curious, witness)
        crowd.end('router')
        with AgentHost(bus, SystemClock(), Agent('curious')) as host:
            host.run('curious', lambda ctx: curious.think(ctx, 1.0), 5.0)
        _, ended, seconds = curious.ends[-1]
        assert isinstance(ended, DeadlineError) and 1.0 <= seconds < 1.0 + SLACK_S
        assert "'model_router' did not answer model.infer within 1 s" in str(ended)
    bus.close()


def check_thoughts(curious: Curious, witness: Path) -> None:
    """Each question was answered in its time, and the model was asked again only after a kill."""
    slowest_s = max(seconds for _, _, seconds in curious.ends)
    asked = Counter(line.partition(' ')[2] for line in witness.read_text().splitlines())
    twice = sum(asked.values()) - len(asked)
    print(f'{ROUTER_KILLS} kills: {len(curious.ends)} questions, the slowest took {slowest_s:.2f} s, the model was '
          f'asked {twice} times again')
    assert [(prompt, ended) for prompt, ended, _ in curious.ends if ended != prompt] == []
    assert len(curious.ends) == curious.began and slowest_s < THINK_S + SLACK_S
    # The next one begins with what was asked in the last second, whether it was answered or not.
    assert twice <= ROUTER_KILLS * STREAMS * (1 + UNTAKEN_S / MODEL_S)
