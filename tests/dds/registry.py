"""An agent on ROS that talks with the doorman, and prints each conversation that came to its end."""

from __future__ import annotations

import itertools
from contextlib import suppress

import rclpy
from rclpy.executors import ExternalShutdownException

from loom import Agent, Context, Event
from loom.agents.host import AgentHost
from loom.core.errors import DeadlineError
from loom.ros.bus import RosBus
from loom.ros.clock import RosClock
from loom.ros.process import new_executor

registry = Agent('registry')
numbers = itertools.count()


@registry.on('guest.wanted')
async def guest(ctx: Context, event: Event) -> str:
    return f'guest {event.data["number"]}'


@registry.on('guest.greeted')
async def greeted(ctx: Context, event: Event) -> None:
    print('greeted', event.data['name'], flush=True)


@registry.every(0.1)
async def ring(ctx: Context) -> None:
    await ctx.emit('door.front.opened', {'number': next(numbers)})


@registry.every(0.1)
async def ask(ctx: Context) -> None:
    with suppress(DeadlineError):
        print('doors', await ctx.request('doorman', 'doors.wanted', timeout_s=0.5), flush=True)


rclpy.init()
node = rclpy.create_node('registry')
executor = new_executor()
executor.add_node(node)
with suppress(ExternalShutdownException), AgentHost(RosBus(node), RosClock(node.get_clock()), registry):
    while True:
        executor.spin_once(timeout_sec=0.1)
