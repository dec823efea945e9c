"""Processes of a small robot, forked from one that has imported everything: started in a quarter of a second, killed.

Each line that it reads is a role: `worker_a`, `broker`, `action` or `router`; it answers with the process id.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import rclpy

from loom import Agent, Context
from loom.act.broker import ActionBroker
from loom.agents.host import AgentHost
from loom.core.clock import SystemClock
from loom.nodes.action_broker import ActionBroker as BrokerNode
from loom.nodes.model_router import ModelRouter
from loom.reason.answer import Answer, Request
from loom.reason.backend import Backend
from loom.ros.bus import RosBus
from loom.ros.process import die_with_parent, new_executor, spin_once

WORKERS = ('worker_a', 'worker_b', 'worker_c')
WORK_S = 0.01
THINK_S = 0.1
TICK_S = 0.05


def worker(name: str, folder: Path) -> Agent:
    """An agent that leaves witnesses: a line in `pushed` for each run, a file in `put` for each effect."""
    agent, letter = Agent(name), name[-1]

    async def put(ctx: Context) -> str:
        """Put something where it belongs, however often it is tried."""
        await asyncio.sleep(WORK_S)
        (folder / 'put' / ctx.call_id).touch()
        await asyncio.sleep(WORK_S)
        return ctx.call_id

    async def push(ctx: Context) -> str:
        """Push something on, which must not be done twice."""
        await asyncio.sleep(WORK_S)
        with (folder / 'pushed').open('a') as witness:
            witness.write(f'{ctx.call_id}\n')
        await asyncio.sleep(WORK_S)
        return ctx.call_id
    put.__name__, push.__name__ = f'put_{letter}', f'push_{letter}'
    agent.capability(idempotent=True)(put)
    agent.capability(push)
    return agent


class Thinker:
    """A model that leaves a line in `thought` for each question that it begins with."""

    name, tasks, local = 'thinker', ('think',), True

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def infer(self, request: Request, on_token: Any, cancelled: Any) -> Answer:
        """Thinks for a while."""
        with (self._folder / 'thought').open('a') as witness:
            witness.write(f'{os.getpid()} {request.prompt}\n')
        time.sleep(THINK_S)
        return Answer(request.prompt, self.name)


def router(namespace: str, folder: Path) -> ModelRouter:
    """The node with a model that takes its time."""
    class Slow(ModelRouter):
        def _backends(self) -> list[Backend]:
            return [Thinker(folder)]
    node = Slow(namespace=namespace)
    node.trigger_configure()
    node.trigger_activate()
    return node


def live(role: str, namespace: str, folder: Path) -> None:
    """One process, until it is killed."""
    rclpy.init(signal_handler_options=rclpy.SignalHandlerOptions.NO)
    executor = new_executor()
    cards = {name: worker(name, folder).card().capabilities for name in WORKERS}
    if role == 'action':
        node = BrokerNode(namespace=namespace)
        node.trigger_configure()
        node.trigger_activate()
        for name, capabilities in cards.items():
            node._broker.update(name, capabilities)
    elif role == 'router':
        node = router(namespace, folder)
    else:
        node = rclpy.create_node(f'{role}_{os.getpid()}', namespace=namespace)
        bus = RosBus(node)
        if role == 'broker':
            broker = ActionBroker(bus, SystemClock())
            for name, capabilities in cards.items():
                broker.update(name, capabilities)
            broker.open()
            node.create_timer(TICK_S, broker.tick)
        else:
            AgentHost(bus, SystemClock(), worker(role, folder), journal=folder / 'journal').start()
    executor.add_node(node)
    while True:
        spin_once(executor)


def main() -> None:
    """Forks a process for each line."""
    namespace, folder = sys.argv[1], Path(sys.argv[2])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            die_with_parent()
            live(line.strip(), namespace, folder)
        print(child, flush=True)


if __name__ == '__main__':
    main()
