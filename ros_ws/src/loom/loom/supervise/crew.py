"""The processes of the keeper: forked from it, watched by pidfd, killed with all that they began themselves."""

from __future__ import annotations

import ctypes
import gc
import os
import selectors
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loom.core.event import new_id
from loom.supervise.channel import Channel
from loom.supervise.obituary import say_gone

INCARNATION = 'LOOM_INCARNATION'
# A spare that was silent for longer may be frozen.
AWAKE_S = 0.4
# A spare says its first word within this time.
BIRTH_S = 5.0
ENDING = (signal.SIGINT, signal.SIGTERM)
PR_SET_CHILD_SUBREAPER = 36
SWEEP_S = 0.25


class Born(BaseException):
    """Raised in a process that was just forked, to leave all code of the keeper: it has a life of its own."""

    def __init__(self, channel: Channel, nodes: tuple[str, ...], incarnation: str) -> None:
        super().__init__(incarnation)
        self.channel, self.nodes, self.incarnation = channel, nodes, incarnation


@dataclass(eq=False)
class Child:
    """One process; `nodes` are empty while it is a spare."""

    pid: int
    pidfd: int
    channel: Channel
    nodes: tuple[str, ...]
    incarnation: str
    heard_s: float = 0.0
    ready: bool = False
    participant: bytes = b''


@dataclass(frozen=True)
class News:
    """What a child said, or how it ended."""

    child: Child
    message: dict[str, Any] | None = None
    ended: str = ''
    exit_code: int = 0


class Crew:
    """Starts, hears and ends processes.

    `load(programs)` imports their code, here, so that it is there in each fork. A node's program has its name, unless
    `programs` says otherwise.
    """

    def __init__(self, load: Callable[[Sequence[str]], None], programs: Mapping[str, str],
                 now_s: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._programs = programs
        self._now_s = now_s
        self._selector = selectors.DefaultSelector()
        self._spares: list[Child] = []
        self._children: list[Child] = []
        self._adopts = False
        self._sweep_s = self._listened_s = 0.0

    def adopt(self) -> None:
        """From now on, what outlives the process that began it becomes a child of this one, and is ended."""
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._adopts = True

    def start(self, nodes: tuple[str, ...], warm: bool = False) -> Child:
        """A process with these nodes: a spare that gave a sign just now if it may be `warm`, else a new one."""
        nodes = tuple(self._programs.get(node, node) for node in nodes)
        self._load(nodes)
        since_s = self._now_s() - AWAKE_S
        spare = next((s for s in self._spares if s.ready and s.heard_s > since_s), None) if warm else None
        if spare is None:
            return self._fork(nodes)
        self._spares.remove(spare)
        spare.nodes = nodes
        spare.channel.send(nodes=nodes)
        return spare

    def keep_spares(self, count: int, silence_s: float) -> None:
        """Forks spares until there are so many, and kills those that fell silent."""
        for spare in self._spares:
            silent_s = self._listened_s - spare.heard_s
            if silent_s > BIRTH_S or (silent_s > silence_s and (spare.ready or stopped(spare.pid))):
                self.kill(spare)
        while len(self._spares) < count:
            self._spares.append(self._fork(()))

    def ask_to_end(self, child: Child) -> None:
        """SIGTERM."""
        with suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGTERM)

    def kill(self, child: Child) -> None:
        """SIGKILL, for all that the process began, too."""
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)

    def everybody(self) -> list[Child]:
        """All that have not ended, spares too."""
        return list(self._children)

    def is_spare(self, child: Child) -> bool:
        """Whether it has no nodes yet."""
        return child in self._spares

    def watch(self, file: int) -> None:
        """Wakes wait() when something can be read from a file descriptor, too."""
        self._selector.register(file, selectors.EVENT_READ)

    def wait(self, timeout_s: float) -> list[News]:
        """What happened, after at most `timeout_s` seconds: all words of a child before its end."""
        found = self._selector.select(max(timeout_s, 0.0))
        self._listened_s = self._now_s()
        # Where this process was stopped meanwhile, the time was over before anybody was heard.
        found = found or self._selector.select(0.0)
        ready = {key.data for key, _ in found if key.data is not None}
        news = [item for child in list(self._children) if child in ready for item in self._hear(child)]
        if self._adopts and self._now_s() >= self._sweep_s:
            self._sweep_s = self._now_s() + SWEEP_S
            self._sweep()
        return news

    def _hear(self, child: Child) -> list[News]:
        news, gone = [], False
        while True:
            try:
                message = child.channel.receive()
            except EOFError:
                gone = True
                break
            if message is None:
                break
            child.heard_s = self._now_s()
            if 'participant' in message:
                child.participant = bytes.fromhex(message['participant'])
                continue
            child.ready = True
            news.append(News(child, message))
        pid, status = os.waitpid(child.pid, os.WNOHANG)
        if pid:
            self._forget(child)
            code = os.waitstatus_to_exitcode(status)
            how = f'was ended by {signal.Signals(-code).name}' if code < 0 else f'ended with exit code {code}'
            news.append(News(child, None, how, code))
        elif gone:
            # It may live on for a moment: its end is told by its pidfd.
            with suppress(KeyError):
                self._selector.unregister(child.channel)
        return news

    def _forget(self, child: Child) -> None:
        for file in (child.channel, child.pidfd):
            with suppress(KeyError):
                self._selector.unregister(file)
        self._children.remove(child)
        if child in self._spares:
            self._spares.remove(child)
        child.channel.close()
        os.close(child.pidfd)
        # What it began and left behind is in its group, or has become ours.
        self.kill(child)
        self._sweep_s = 0.0
        if child.participant:
            say_gone(child.participant)

    def _sweep(self) -> None:
        ours = {child.pid for child in self._children}
        for stray in set(_begun_by(os.getpid())) - ours:
            for pid in _family(stray):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(stray, os.WNOHANG)

    def _fork(self, nodes: tuple[str, ...]) -> Child:
        ours, theirs = Channel.pair()
        incarnation = new_id()[:16]
        gc.freeze()
        # Until the child has its own way to end, a signal waits: the keeper's would swallow it.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)
            ours.close()
            self._close_inherited()
            os.environ[INCARNATION] = incarnation
            raise Born(theirs, nodes, incarnation)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        with suppress(PermissionError, ProcessLookupError):
            os.setpgid(pid, pid)
        theirs.close()
        child = Child(pid, os.pidfd_open(pid), ours, nodes, incarnation, self._now_s())
        self._children.append(child)
        for file in (ours, child.pidfd):
            self._selector.register(file, selectors.EVENT_READ, child)
        return child

    def _close_inherited(self) -> None:
        # Whoever holds the channel of a sibling would keep it from ending.
        self._selector.close()
        for child in self._children:
            child.channel.close()
            os.close(child.pidfd)


def stopped(pid: int) -> bool:
    """Whether a signal stopped the process (SIGSTOP), so that it does nothing."""
    with suppress(OSError):
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] == 'T'
    return False


def descendants(pid: int) -> int:
    """How many processes a process began that still run, and those in turn."""
    return len(_family(pid)) - 1


def _family(pid: int) -> list[int]:
    found = [pid]
    for member in found:
        found += _begun_by(member)
    return found


def _begun_by(pid: int) -> list[int]:
    # Four times a second, for each thread of the robot: pathlib would take three times as long.
    found: list[int] = []
    with suppress(OSError):
        for task in os.listdir(f'/proc/{pid}/task'):
            with suppress(OSError), open(f'/proc/{pid}/task/{task}/children', 'rb') as file:
                found += map(int, file.read().split())
    return found
