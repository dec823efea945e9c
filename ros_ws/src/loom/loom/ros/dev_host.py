"""DevHost: a node for agents that are being written, beside the robot's own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager, suppress
from typing import Any

from loom_msgs.msg import Directory
from rclpy.executors import Executor

from loom.agents.directory import AgentCard
from loom.core.errors import DeadlineError, LoomError
from loom.core.topics import mailbox_of
from loom.memory.server import ADDRESS
from loom.ros.body import RosBody
from loom.ros.client import robot_client, wait_for
from loom.ros.directory import TELL, TOPIC, directory_of
from loom.ros.node import LoomNode

LOOK_AROUND_S = 1.0
RUN_S = 10.0
END_S = 1.0


class DevHost(LoomNode):
    """Gives agents the robot's bus and body, and tells the directory of them."""

    def configure(self) -> None:
        """Declares the senses and the directory."""
        self.clock = self.clock_source
        self.body = RosBody(self)
        self._told: tuple[AgentCard, ...] = ()
        self._directory = self.publisher(Directory, TOPIC, TELL)

    def memory(self) -> str:
        """Mailbox of the memory server where one is up."""
        return ADDRESS if self.count_subscribers(mailbox_of(ADDRESS)) else ''

    def run(self, work: Callable[[], Any]) -> Any:
        """Does something on the executor's thread, and gives what it returned."""
        return _on(self.executor, work, RUN_S)

    def attend(self, cards: tuple[AgentCard, ...]) -> None:
        """Tells the directory who is there, where that changed."""
        if cards != self._told:
            self._told = cards
            self._directory.publish(directory_of(self.get_name(), cards, self.clock.now_ns()))


@contextmanager
def dev_host(namespace: str = '') -> Iterator[DevHost]:
    """A host on the robot's graph, active until the end of the block."""
    with robot_client(namespace) as client:
        client.follow_clock(LOOK_AROUND_S)
        executor = client.node.executor
        node = DevHost(node_name=f'dev_host_{os.getpid()}', context=client.node.context,
                       namespace=client.node.get_namespace(),
                       parameter_overrides=[client.node.get_parameter('use_sim_time')])
        try:
            _on(executor, lambda: _begin(executor, node), RUN_S)
            with suppress(DeadlineError):
                wait_for(lambda: bool(node.memory()), LOOK_AROUND_S, 'no memory server is up')
            yield node
        finally:
            with suppress(DeadlineError):
                _on(executor, lambda: _end(executor, node), END_S)


def _begin(executor: Executor, node: DevHost) -> None:
    executor.add_node(node)
    node.trigger_configure()
    node.trigger_activate()
    if node.stopped_because:
        raise LoomError(node.stopped_because)


def _end(executor: Executor, node: DevHost) -> None:
    node.end()
    executor.remove_node(node)
    node.destroy_node()


def _on(executor: Executor | None, work: Callable[[], Any], timeout_s: float) -> Any:
    """What the work returned on the executor's thread: only there may nodes and subscriptions come and go."""
    done: Future[Any] = Future()

    def do() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)
    assert executor is not None
    executor.create_task(do)
    try:
        return done.result(timeout_s)
    except FutureTimeout:
        raise DeadlineError(f'the executor must come to it within {timeout_s:g} s and did not') from None
