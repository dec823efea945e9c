"""A process under the keeper: its nodes take their transitions themselves, and it shows that they work."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from rclpy.executors import Executor
from rclpy.lifecycle import TransitionCallbackReturn

from loom.ros.node import LoomNode
from loom.supervise.link import Link
from loom.supervise.roster import RANK

# What `ps` and `top` show of it, cut to 15 letters.
PR_SET_NAME = 15
UP = {'unconfigured': 'configure', 'inactive': 'activate'}
DOWN = {'active': 'deactivate', 'inactive': 'cleanup'}
# All reasons together must fit into one message to the keeper.
MAX_REASON = 1000
# A node is asked about its parameters by people: its services for that come when the rush of a start is over, as each
# endpoint is told to all processes of the robot.
PARAMETERS_S = 1.0


class Kept:
    """Obeys the keeper on the executor's thread; a thread of its own only listens.

    A spare's DDS participant is known already: its nodes are matched as soon as it gets some.
    """

    def __init__(self, link: Link, nodes: Sequence[str]) -> None:
        self._link = link
        self._given = tuple(nodes)
        self._executor: Executor | None = None
        self._nodes: list[LoomNode] = []
        self._unserved: deque[LoomNode] = deque()
        self._serve_at_s = 0.0

    def given(self, executor: Executor, participant: bytes, ended: Callable[[], bool],
              spin: Callable[[], None]) -> tuple[str, ...]:
        """The nodes of this process; a spare waits for them here. Empty where it ends before.

        The keeper is told the prefix of the DDS participant, of which it can say that it is gone.
        """
        self._executor = executor
        self._link.tell(participant=participant.hex())
        self._link.listen(self._hear, lambda: os.kill(os.getpid(), signal.SIGTERM))
        if self._given:
            return self._given
        while not ended() and not self._given:
            self.beat()
            spin()
        return self._given

    def take_over(self, nodes: Iterable[LoomNode]) -> None:
        """The nodes are there; from now on their states are told."""
        self._nodes = list(nodes)
        self._unserved.extend(self._nodes)
        self._serve_at_s = time.monotonic() + PARAMETERS_S
        name = '+'.join(node.get_name() for node in self._nodes)
        ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode(), 0, 0, 0)
        self.beat(now=True)

    def beat(self, now: bool = False) -> None:
        """A sign of life, ten times a second at most; called by the thread that the nodes run on."""
        if now or self._link.due():
            faults = {node.get_name(): fault for node in self._nodes if (fault := _fault(node))}
            self._link.beat({node.get_name(): state_of(node) for node in self._nodes}, faults)
            if self._unserved and time.monotonic() >= self._serve_at_s:
                self._unserved.popleft().serve_parameters()

    def _hear(self, message: dict[str, Any]) -> None:
        assert self._executor is not None
        if 'nodes' in message:
            self._given = tuple(message['nodes'])
            self._executor.wake()
        elif 'want' in message:
            self._executor.create_task(self._obey, message['want'])

    def _obey(self, want: dict[str, str]) -> None:
        for node in self._nodes:
            wanted = want.get(node.get_name())
            if wanted is None:
                continue
            self._link.tell(busy=node.get_name())
            failure = reach(node, wanted)
            self.beat(now=True)
            failed = {'failed': {node.get_name(): failure}, 'misconfigured': node.misconfigured} if failure else {}
            self._link.tell(done={node.get_name(): wanted}, **failed)


def reach(node: LoomNode, wanted: str) -> str:
    """Takes a node to a lifecycle state, step by step; why it could not, or an empty text."""
    while (state := state_of(node)) != wanted:
        steps = UP if RANK[wanted] > RANK.get(state, 0) else DOWN
        if state not in steps:
            return f'it is {state}, from where it can not become {wanted}'
        if getattr(node, f'trigger_{steps[state]}')() != TransitionCallbackReturn.SUCCESS:
            return (node.stopped_because or f'{steps[state]} failed')[:MAX_REASON]
    return ''


def state_of(node: LoomNode) -> str:
    """The node's lifecycle state."""
    return str(cast(Any, node._state_machine).current_state[1])


def _fault(node: LoomNode) -> str:
    try:
        return node.fault()[:MAX_REASON]
    except Exception as error:
        return f'{type(error).__name__}: {error}'[:MAX_REASON]
