"""A short-lived node that looks at the graph; there is no daemon, so it waits for discovery itself."""

import argparse
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import rclpy
from rclpy.executors import Executor, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

from ros2cli_standin.command import CommandError, positive_float

SLICE_S = 0.1  # a signal is noticed between two waits of this length
QUIET_S = 1.0
LIMIT_S = 3.5  # a process whose first announcement was missed makes itself known every 3 s


def add_discovery_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that every verb looking at the graph has."""
    parser.add_argument('--spin-time', type=positive_float, default=None, metavar='SECONDS', help='time for discovery')
    parser.add_argument('--no-daemon', action='store_true', help='accepted; there is no daemon here')
    parser.add_argument('-s', '--use-sim-time', action='store_true', help='use the time of /clock')


class Stop:
    """Keeps a signal until the command is at a place where it can end; a second one ends it at once."""

    def __init__(self) -> None:
        self._signum = 0
        self._previous: dict[int, Any] = {}

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        """Take a signal."""
        if self._signum:
            raise KeyboardInterrupt
        self._signum = signum

    def install(self) -> None:
        """Handle SIGTERM, and SIGINT unless the shell that started this ignores it."""
        for signum in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(signum) is not signal.SIG_IGN:
                self._previous[signum] = signal.signal(signum, self)

    def restore(self) -> None:
        """Put back the handlers of before."""
        for signum, handler in self._previous.items():
            signal.signal(signum, handler)

    def check(self) -> None:
        """Raise KeyboardInterrupt or SystemExit where a signal has come."""
        signum, self._signum = self._signum, 0
        if signum == signal.SIGINT:
            raise KeyboardInterrupt
        if signum:
            raise SystemExit(128 + signum)


class Graph:
    """The ROS graph as one node sees it, with waits that always end."""

    def __init__(self, node: Node, executor: Executor, spin_time_s: float | None, stop: Stop) -> None:
        self.node = node
        self._executor = executor
        self._spin_time_s = spin_time_s
        self._stop = stop

    def pause(self, seconds: float) -> None:
        """Sleep, unless a signal ends it."""
        end = time.monotonic() + seconds
        while True:
            self._stop.check()
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, SLICE_S))

    def spin_until(self, done: Callable[[], bool], limit_s: float | None) -> bool:
        """Serve callbacks until done() holds or the limit (seconds, None: no limit) is over; returns done()."""
        end = None if limit_s is None else time.monotonic() + limit_s
        while not done():
            left = SLICE_S if end is None else min(SLICE_S, end - time.monotonic())
            if left <= 0:
                return done()
            self._executor.spin_once(timeout_sec=left)
            self._stop.check()
        return True

    def result(self, future: 'Future[Any]', limit_s: float, what: str) -> Any:
        """Return the future's result; raises CommandError where none comes within the limit (seconds)."""
        if not self.spin_until(future.done, limit_s):
            raise CommandError(f'no answer from {what} within {limit_s:g} s; is it busy or stopped?')
        return future.result()

    def wait_for(self, found: Callable[[], bool], limit_s: float = LIMIT_S) -> bool:
        """Wait until the wanted thing is in the graph, at most for the limit (seconds)."""
        end = time.monotonic() + (self._spin_time_s or limit_s)
        while not found():
            if time.monotonic() > end:
                return False
            self.pause(0.02)
        return True

    def settle(self, quiet_s: float = QUIET_S, empty: bool = False) -> None:
        """Wait until the graph stops changing (empty: even with no other node in it), at most 3.5 s."""
        if self._spin_time_s is not None:
            self.pause(self._spin_time_s)
            return
        end = time.monotonic() + LIMIT_S
        seen, since = self._snapshot(), time.monotonic()
        while time.monotonic() < end:
            self.pause(0.05)
            now = self._snapshot()
            if now != seen:
                seen, since = now, time.monotonic()
            elif time.monotonic() - since > quiet_s and (empty or self.nodes()):
                return

    def _snapshot(self) -> tuple[object, ...]:
        topics = sorted((name, tuple(types)) for name, types in self.node.get_topic_names_and_types())
        services = sorted(name for name, _ in self.node.get_service_names_and_types())
        return (sorted(self.nodes()), topics, services)

    def nodes(self) -> list[tuple[str, str]]:
        """Return (name, namespace) of all nodes but this one."""
        own = self.node.get_name()
        return [(name, space) for name, space in self.node.get_node_names_and_namespaces() if name != own]

    def topic_types(self, topic: str) -> list[str]:
        """Return the types of a topic, none where nobody has it."""
        return dict(self.node.get_topic_names_and_types()).get(topic, [])

    def service_types(self, service: str) -> list[str]:
        """Return the types of a service, none where nobody serves it."""
        return dict(self.node.get_service_names_and_types()).get(service, [])


def absolute(name: str) -> str:
    """Return the name with its leading slash."""
    return name if name.startswith('/') else f'/{name}'


def hidden(name: str) -> bool:
    """Return whether one part of the name begins with an underscore."""
    return any(part.startswith('_') for part in name.split('/'))


def full_name(node: tuple[str, str]) -> str:
    """Return the full name of a (name, namespace)."""
    return f'{node[1].rstrip("/")}/{node[0]}'


def split_name(full: str) -> tuple[str, str]:
    """Return (name, namespace) of a full node name."""
    space, _, name = absolute(full).rpartition('/')
    return name, space or '/'


@contextmanager
def look(args: argparse.Namespace) -> Iterator[Graph]:
    """Open a view on the graph and close it again, also on SIGINT and SIGTERM."""
    # rclpy's own handlers shut its context down under the feet of a wait.
    stop = Stop()
    stop.install()
    os.environ.setdefault('FASTDDS_DEFAULT_PROFILES_FILE', str(Path(__file__).with_name('discovery.xml')))
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    options: list[Parameter] = []
    if getattr(args, 'use_sim_time', False):
        options.append(Parameter('use_sim_time', value=True))
    node = Node(
        f'_ros2cli_{os.getpid()}',
        start_parameter_services=False,
        enable_rosout=False,
        use_global_arguments=False,
        parameter_overrides=options,
    )
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        yield Graph(node, executor, getattr(args, 'spin_time', None), stop)
    finally:
        executor.shutdown(timeout_sec=1.0)
        # A node in use stays, without its topics, and with it the participant: see ending.py.
        node.handle.__enter__()
        node.destroy_node()
        rclpy.try_shutdown()
        stop.restore()
