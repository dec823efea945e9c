"""A team on one bus whose processes are killed and started anew: a host with a worker, and a broker."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from loom import Agent, Context, Event
from loom.act import broker as broking
from loom.act.broker import ActionBroker
from loom.agents.host import AgentHost
from loom.core.bus import Handler
from loom.core.clock import SystemClock
from loom.core.delivery import BATCHED, REALTIME, Delivery
from loom.core.local_bus import LocalBus

CALL_S, TICK_S = 4.0, 0.01


class Mortal:
    """A bus of one process: when that is killed, nothing comes in or goes out any more."""

    def __init__(self, bus: LocalBus) -> None:
        self.bus, self.dead = bus, False

    def publish(self, event: Event, delivery: Delivery = REALTIME) -> None:
        if not self.dead:
            self.bus.publish(event, delivery)

    def send(self, address: str, event: Event) -> None:
        if not self.dead:
            self.bus.send(address, event)

    def room(self, event_type: str, delivery: Delivery = BATCHED) -> int:
        return self.bus.room(event_type, delivery)

    def subscribe(self, pattern: str, handler: Handler, delivery: Delivery = REALTIME) -> Any:
        return self.bus.subscribe(pattern, self._living(handler), delivery)

    def receive(self, address: str, handler: Handler) -> Any:
        return self.bus.receive(address, self._living(handler))

    def counts(self) -> dict[str, int]:
        return self.bus.counts()

    def close(self) -> None:
        pass

    def _living(self, handler: Handler) -> Handler:
        return lambda event: None if self.dead else handler(event)


class MortalTeam:
    """Processes on one bus: `host` has the worker, `broker` passes calls on, and a client that never dies asks."""

    def __init__(self, folder: Path, worker: Callable[[list[str]], Agent]) -> None:
        self.clock, self.did = SystemClock(), list[str]()
        self.bus = LocalBus(self.clock)
        self._folder, self._lives, self._worker = folder, 0, worker
        self._hosts: list[AgentHost] = []
        self._client = AgentHost(self.bus, self.clock, Agent('client'))
        self._pool = ThreadPoolExecutor(8)
        self._ended = False
        self._client.start()
        self.start_host()
        self.start_broker()
        self._ticker = self._pool.submit(self._tick)

    def start_host(self, journal: bool = True) -> None:
        before, self._lives = self._folder / str(self._lives), self._lives + 1
        folder = self._folder / str(self._lives)
        if before.exists() and journal:
            # The file as it is at the moment of death: the dead one still has its own.
            shutil.copytree(before, folder)
        self._host_bus = Mortal(self.bus)
        self.host = AgentHost(self._host_bus, self.clock, self._worker(self.did), journal=folder)
        self.host.start()
        self._hosts.append(self.host)

    def kill_host(self) -> None:
        self._host_bus.dead = True

    def start_broker(self, known: bool = True) -> None:
        self._broker_bus = Mortal(self.bus)
        self.broker = ActionBroker(self._broker_bus, self.clock, 0.0 if known else broking.SETTLE_S)
        if known:
            self.meet()
        self.broker.open()

    def meet(self) -> None:
        """The broker learns who is there."""
        for card in self.host.cards():
            self.broker.update('host', card.capabilities)

    def kill_broker(self) -> None:
        self._broker_bus.dead = True

    def ask(self, work: Callable[[Context], Any]) -> Any:
        """A question of the client, in a thread of its own; its future."""
        return self._pool.submit(self._client.run, 'client', work, CALL_S + 2.0)

    def act(self, name: str, **arguments: Any) -> Any:
        return self.ask(lambda ctx: ctx.act(name, deadline_s=CALL_S, **arguments))

    def request(self, type: str, data: Any = None) -> Any:
        return self.ask(lambda ctx: ctx.request('worker', type, data, CALL_S))

    def counts(self) -> dict[str, int]:
        return self.host.counts()['worker']

    def close(self) -> None:
        self._ended = True
        self._ticker.result()
        self._client.stop()
        for host in self._hosts:
            host.stop()
        self._pool.shutdown()

    def _tick(self) -> None:
        while not self._ended:
            time.sleep(TICK_S)
            self.broker.tick()


def worker(did: list[str]) -> Agent:
    agent = Agent('worker', concurrency=2)

    async def work(what: str, hold: bool) -> str:
        did.append(what)
        # It dies over what comes first.
        while hold and did.count(what) == 1:
            await asyncio.sleep(0.005)
        return f'{what} {did.count(what)}'

    @agent.capability(idempotent=True)
    async def put(ctx: Context, hold: bool = True) -> str:
        """Put it where it belongs."""
        return (await work(ctx.call_id, hold)).split()[1]

    @agent.capability
    async def push(ctx: Context, hold: bool = True) -> str:
        """Push it on."""
        return (await work(ctx.call_id, hold)).split()[1]

    @agent.on('worker.ask', 'told.once')
    async def once(ctx: Context, event: Event) -> str:
        return await work(event.type, bool(event.data))

    @agent.on('worker.again', 'told.again', idempotent=True)
    async def again(ctx: Context, event: Event) -> str:
        return await work(event.type, bool(event.data))

    return agent
