"""A process that loaded the code forks others for the tests: they start in a tenth of a second, and can be killed.

`directory_member.py FD`: each request on the socket FD names a role, its options and the file for its output; the
answer is the number of the process.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from loom import Agent, Context

PR_SET_PDEATHSIG = 1
anna = Agent('anna', listens=('camera.*.object',))
bert = Agent('bert')


@anna.capability
async def greet(ctx: Context, name: str) -> str:
    """Greet somebody."""
    return f'hello {name}'


@bert.capability(idempotent=True)
async def wave(ctx: Context) -> str:
    """Wave."""
    return 'waving'


def fork_on_request(channel: socket.socket, roles: dict[str, Callable[..., None]]) -> None:
    """Forks a process for each request until the other end is closed."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while request := channel.recv(4096):
        options = json.loads(request)
        pid = os.fork()
        if pid == 0:
            channel.close()
            # With the process that forked it.
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            output = os.open(options.pop('output'), os.O_CREAT | os.O_WRONLY | os.O_APPEND)
            os.dup2(output, 1)
            os.dup2(output, 2)
            try:
                roles[options.pop('role')](**options)
            except BaseException as error:
                os.write(2, f'{error!r}\n'.encode())
            finally:
                os._exit(1)
        channel.send(str(pid).encode())


def agent_host(name: str, namespace: str, agents: list[str]) -> None:
    """An agent_host node of this name, active."""
    from rclpy.parameter import Parameter

    from loom.nodes.agent_host import AgentHost
    live(lambda: AgentHost(node_name=name, namespace=namespace, parameter_overrides=[
        Parameter('agents', value=agents), Parameter('memory', value=''), Parameter('journal', value='')]))


def action_broker(namespace: str) -> None:
    """An action_broker node, active."""
    from loom.nodes.action_broker import ActionBroker
    live(lambda: ActionBroker(namespace=namespace))


def reader(namespace: str) -> None:
    """A plain ROS node that writes the directory each time that it changes: agents and their states."""
    from rclpy.node import Node

    from loom.agents.directory import Directory
    from loom.ros.directory import DirectoryReader

    def write(directory: Directory) -> None:
        os.write(1, json.dumps({card.id: card.state for card in directory.cards()}).encode() + b'\n')

    def make() -> Node:
        node = Node('reader', namespace=namespace)
        DirectoryReader(node, write)
        return node
    live(make)


def live(make: Callable[[], Any]) -> None:
    """Spins a node until the process is killed; a lifecycle node is made active."""
    import rclpy

    from loom.ros.process import new_executor, spin_once
    rclpy.init()
    node, executor = make(), new_executor()
    executor.add_node(node)
    for step in ('trigger_configure', 'trigger_activate'):
        getattr(node, step, lambda: None)()
    while True:
        spin_once(executor)


if __name__ == '__main__':
    import loom.nodes.action_broker
    import loom.nodes.agent_host  # noqa: F401
    roles = {role.__name__: role for role in (agent_host, action_broker, reader)}
    fork_on_request(socket.socket(fileno=int(sys.argv[1])), roles)
