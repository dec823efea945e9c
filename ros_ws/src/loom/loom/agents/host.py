"""AgentHost: runs agents on one asyncio loop in a thread of its own, over any bus."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from loom.agents.agent import Agent
from loom.agents.configuration import configured, parsed
from loom.agents.context import Context
from loom.agents.directory import AgentCard, Directory
from loom.agents.pulse import HANG_S, Pulse
from loom.agents.runner import Runner
from loom.core.bus import Bus
from loom.core.clock import Clock
from loom.core.errors import ConfigError, DeadlineError, LoomError
from loom.core.event import Event
from loom.core.ledger import Ledger

# Without a body, an agent needs no numpy and no OpenCV.
if TYPE_CHECKING:
    from loom.act.body import Body

Result = TypeVar('Result')
SOURCE = 'agent_host'
STOP_S = 1.0
# Of the time to stop, what handlers have to end; the rest is for the loop.
CLOSE_SHARE = 0.8


class AgentHost:
    """Runs the agents it is given between start() and stop(); use it in `with` or call both.

    `settings` are those of the agents, as `guard.rate_hz=2`; `LOOM_AGENT_GUARD_RATE_HZ` in the environment wins.
    `memory` is the mailbox of the memory server; empty: agents remember only while this host lives. `journal` is the
    folder where each agent notes what it begins and what it has done, so that nothing is done twice when this process
    is killed; None: nobody knows then. After `hang_s` seconds without a sign the agents' loop hangs. `directory` tells
    of all agents of the robot; None: of those of this host.
    """

    def __init__(self, bus: Bus, clock: Clock, *agents: Agent, body: Body | None = None,
                 settings: Sequence[str] = (), memory: str = '', journal: Path | None = None,
                 hang_s: float = HANG_S, directory: Callable[[], Directory] | None = None) -> None:
        names = [agent.name for agent in agents]
        double = {name for name in names if names.count(name) > 1}
        if double:
            raise ConfigError(f'agent names must be unique in a host, {sorted(double)} is there twice')
        self.agents = agents
        given = parsed(settings, agents)
        self._configs = {agent.name: configured(agent, given, os.environ) for agent in agents}
        self.ledger = Ledger()
        self._bus = bus
        self._clock = clock
        self._body = body
        self._memory = memory
        self._journal = journal
        self._hang_s = hang_s
        self._directory = directory or (lambda: Directory().update(SOURCE, '', self.cards()))
        self._pulse: Pulse | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._runners: list[Runner] = []

    def __enter__(self) -> AgentHost:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, timeout_s: float = 5.0) -> None:
        """Starts the loop and every agent; returns when all are subscribed. ConfigError where a name is taken."""
        if self._thread is not None:
            return
        loop, self._runners = asyncio.new_event_loop(), []
        self._loop = loop
        self._thread = threading.Thread(target=_run, args=(loop,), name='loom-agents', daemon=True)
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._open(loop, self._runners), loop).result(timeout_s)
        except FutureTimeout:
            self.stop()
            raise DeadlineError(f'the agents must be ready within {timeout_s:g} s and were not') from None
        except LoomError:
            self.stop()
            raise
        self._pulse = Pulse(loop, self._hang_s)

    def stop(self, timeout_s: float = STOP_S) -> bool:
        """Ends handlers, calls and the loop; False where something did not end within `timeout_s` seconds."""
        loop, thread, self._loop, self._thread, self._pulse = self._loop, self._thread, None, None, None
        if loop is None or thread is None:
            return True
        closed, runners = threading.Event(), self._runners

        def end() -> None:
            # Here, on the loop: one that hangs comes to it late, or never, and may have as much time then.
            def ended(_: object) -> None:
                closed.set()
                loop.stop()
            loop.create_task(_close(runners)).add_done_callback(ended)
            loop.call_later(timeout_s * CLOSE_SHARE, loop.stop)
        loop.call_soon_threadsafe(end)
        thread.join(timeout_s)
        for runner in runners:
            runner.release()
        return closed.is_set() and not thread.is_alive()

    def cards(self) -> tuple[AgentCard, ...]:
        """The agents as data for the directory."""
        refused = {runner.agent.name for runner in list(self._runners) if runner.refusal}
        return tuple(agent.card('active' if self._thread and agent.name not in refused else 'inactive')
                     for agent in self.agents)

    def counts(self) -> dict[str, dict[str, int]]:
        """Per agent: handled, failed, expired, dropped and waiting events."""
        return {runner.agent.name: runner.snapshot() for runner in list(self._runners)}

    def failing(self) -> dict[str, str]:
        """The agents that must be started anew, because they fail again and again, and why."""
        return {runner.agent.name: runner.failing for runner in list(self._runners) if runner.failing}

    def fault(self) -> str:
        """Why this host must be started anew: an agent fails again and again, or the loop hangs; empty: all is well.

        To be asked about ten times a second, from any thread; a failure stays until the next start.
        """
        pulse = self._pulse
        return '' if pulse is None else next(iter(self.failing().values()), '') or pulse.fault()

    def wait_idle(self, timeout_s: float = 5.0) -> bool:
        """Whether every agent came to rest within `timeout_s` seconds."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if all(runner.idle for runner in list(self._runners)):
                return True
            time.sleep(0.005)
        return False

    def tell(self, agent: str, type: str, data: Any = None, **fields: Any) -> None:
        """Puts an event into the mailbox of an agent, of this host or another."""
        self._bus.send(agent, Event.create(type, data, source=SOURCE, sender=SOURCE, stamp_ns=self._clock.now_ns(),
                                           **fields))

    def run(self, agent: str, work: Callable[[Context], Coroutine[Any, Any, Result]], timeout_s: float) -> Result:
        """Does something as one of the agents, `async (ctx)`; DeadlineError after `timeout_s`."""
        runner = next((r for r in self._runners if r.agent.name == agent), None)
        if runner is None or self._loop is None:
            raise ConfigError(f'no agent named {agent!r} runs here; start() the host that has it')
        doing = asyncio.run_coroutine_threadsafe(work(runner.context()), self._loop)
        try:
            return doing.result(timeout_s)
        except FutureTimeout:
            doing.cancel()
            raise DeadlineError(f'{agent!r} must be done within {timeout_s:g} s and was not') from None

    async def _open(self, loop: asyncio.AbstractEventLoop, runners: list[Runner]) -> None:
        for agent in self.agents:
            journal = self._journal / f'{agent.name}.journal' if self._journal else None
            runners.append(Runner(agent, self._bus, self._clock, self._body, loop, self.ledger,
                                  self._configs[agent.name], self._memory, journal, self._directory))
        for runner in runners:
            runner.open()


async def _close(runners: Sequence[Runner]) -> None:
    await asyncio.gather(*(runner.close() for runner in runners), return_exceptions=True)
    # What handlers began beside themselves and nobody waits for.
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()


