"""AgentHost: runs agents on one asyncio loop in a thread of its own, over any bus."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TYPE_CHECKING

from loom.agents.agent import Agent
from loom.agents.directory import AgentCard
from loom.agents.runner import Runner
from loom.core.bus import Bus
from loom.core.clock import Clock
from loom.core.errors import ConfigError, DeadlineError
from loom.core.ledger import Ledger

# Without a body, an agent needs no numpy and no OpenCV.
if TYPE_CHECKING:
    from loom.act.body import Body

STOP_S = 1.0


class AgentHost:
    """Runs the agents it is given between start() and stop(); use it in `with` or call both."""

    def __init__(self, bus: Bus, clock: Clock, *agents: Agent, body: Body | None = None) -> None:
        names = [agent.name for agent in agents]
        double = {name for name in names if names.count(name) > 1}
        if double:
            raise ConfigError(f'agent names must be unique in a host, {sorted(double)} is there twice')
        self.agents = agents
        self.ledger = Ledger()
        self._bus = bus
        self._clock = clock
        self._body = body
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._runners: list[Runner] = []

    def __enter__(self) -> AgentHost:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, timeout_s: float = 5.0) -> None:
        """Starts the loop and every agent; returns when all are subscribed."""
        if self._thread is not None:
            return
        loop = self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=_run, args=(loop,), name='loom-agents', daemon=True)
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._open(loop), loop).result(timeout_s)
        except FutureTimeout:
            self.stop()
            raise DeadlineError(f'the agents must be ready within {timeout_s:g} s and were not') from None

    def stop(self, timeout_s: float = STOP_S) -> bool:
        """Ends handlers, calls and the loop; False where something did not end within `timeout_s` seconds."""
        loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is None or thread is None:
            return True
        deadline = time.monotonic() + timeout_s
        closing = asyncio.run_coroutine_threadsafe(self._close(), loop)
        try:
            closing.result(timeout_s * 0.8)
        except FutureTimeout:
            closing.cancel()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(max(deadline - time.monotonic(), 0.01))
        return not thread.is_alive()

    def cards(self) -> tuple[AgentCard, ...]:
        """The agents as data for the directory."""
        return tuple(agent.card('active' if self._thread else 'inactive') for agent in self.agents)

    def counts(self) -> dict[str, dict[str, int]]:
        """Per agent: handled, failed, expired, dropped and waiting events."""
        return {runner.agent.name: runner.snapshot() for runner in list(self._runners)}

    def wait_idle(self, timeout_s: float = 5.0) -> bool:
        """Whether every agent came to rest within `timeout_s` seconds."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if all(runner.idle for runner in list(self._runners)):
                return True
            time.sleep(0.005)
        return False

    async def _open(self, loop: asyncio.AbstractEventLoop) -> None:
        self._runners = [Runner(agent, self._bus, self._clock, self._body, loop, self.ledger) for agent in self.agents]
        for runner in self._runners:
            runner.open()

    async def _close(self) -> None:
        await asyncio.gather(*(runner.close() for runner in self._runners), return_exceptions=True)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()


