"""What every process of Loom does around its nodes: start, spin, end in time, leave nothing behind."""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import rclpy
from rclpy.context import Context
from rclpy.exceptions import InvalidHandle
from rclpy.executors import Executor, ExternalShutdownException, SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

from loom.core.errors import ConfigError
from loom.core.leaving import leave
from loom.observe.telemetry import Telemetry, start_telemetry
from loom.ros.dds_watch import DdsWatch
from loom.ros.log import log_through_ros
from loom.ros.node import LoomNode
from loom.ros.participant import depart, hold
from loom.ros.shared_memory import reclaim
from loom.supervise.crew import ENDING

if TYPE_CHECKING:
    from loom.ros.kept import Kept

Maker = Callable[..., LoomNode]
PR_SET_PDEATHSIG = 1
END_WITHIN_S = 2.0
FORCE_S = 0.2
# The events executor ignores signals while it waits: it is asked again this often.
SPIN_S = 0.1
BAD_CONFIG = 2
DDS_STUCK = 3


def run(*makers: Maker, kept: Kept | None = None) -> None:
    """Runs nodes until SIGINT, SIGTERM, SIGHUP or the death of the parent; exits 2 where their settings are wrong.

    Under a keeper, the nodes are those that it gives.
    """
    stop = _Stop()
    die_with_parent()
    try:
        rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    except RuntimeError as error:
        print(f'error: {error}', file=sys.stderr, flush=True)
        sys.exit(BAD_CONFIG)
    executor = new_executor()
    nodes: list[LoomNode] = []
    telemetry = None
    log_through_ros()
    try:
        participant = hold(executor.context)
        telemetry = start_telemetry()
        if kept is not None:
            given = kept.given(executor, participant.prefix, stop.asked, lambda: spin_once(executor))
            makers = tuple(node_maker(name) for name in given)
        later = {} if kept is None else {'start_parameter_services': False}
        for maker in makers:
            nodes.append(maker(**later))
            executor.add_node(nodes[-1])
        if kept is not None:
            kept.take_over(nodes)
        # Nothing made so far becomes garbage: later collections need not look at it.
        gc.collect()
        gc.freeze()
        stop.wait(executor, kept.beat if kept is not None else None)
    except ConfigError as error:
        print(f'error: {error}', file=sys.stderr, flush=True)
        stop.exit_code = BAD_CONFIG
    finally:
        _end(executor, nodes, telemetry)
    leave(stop.exit_code)


def _end(executor: Executor, nodes: list[LoomNode], telemetry: Telemetry | None) -> None:
    threading.Thread(target=_end_by_force, daemon=True).start()
    # Also where something holds Python's lock for good, and that thread never runs.
    faulthandler.dump_traceback_later(END_WITHIN_S + FORCE_S, exit=True)
    for node in reversed(nodes):
        node.end()
    if telemetry is not None:
        telemetry.close()
    for node in reversed(nodes):
        executor.remove_node(node)
        node.destroy_node()
    executor.shutdown(timeout_sec=0.5)
    _clean_up()


def new_executor(context: Context | None = None) -> Executor:
    """The events executor where the release has it: 2 to 4 times less CPU than the others."""
    try:
        from rclpy.experimental import EventsExecutor
    except ImportError:
        return SingleThreadedExecutor(context=context)
    executor: Executor = EventsExecutor(context=context)
    return executor


def spin_once(executor: Executor, timeout_s: float = SPIN_S) -> None:
    """Does what is due, or waits for something at most `timeout_s` seconds."""
    # DDS may have told of something that was destroyed before the executor came to it: that must not end the process.
    with suppress(InvalidHandle):
        executor.spin_once(timeout_sec=timeout_s)


def die_with_parent() -> None:
    """Has the kernel send SIGTERM when the parent ends, so that a killed launch leaves no robot running."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


class _Stop:
    """Turns SIGINT, SIGTERM and SIGHUP into the end of the spinning."""

    def __init__(self) -> None:
        self._future: Future[Any] = Future()
        self.exit_code = 0
        for number in ENDING:
            signal.signal(number, self._take)
        # The kernel sends it to who stands still when its keeper is killed. Under nohup it stays ignored.
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._take)
        # A process that was just forked from the keeper has them wait until here.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)

    def asked(self) -> bool:
        return self._future.done()

    def wait(self, executor: Executor, beat: Callable[[], None] | None) -> None:
        watch = DdsWatch()
        while not self._future.done():
            try:
                spin_once(executor)
            except ExternalShutdownException:
                return
            if watch.stuck():
                print('error: DDS has stopped in this process (eProsima/Fast-DDS#6502), it must be started again',
                      file=sys.stderr)
                _clean_up()
                leave(DDS_STUCK)
            if beat is not None:
                beat()

    def _take(self, number: int, frame: Any) -> None:
        if not self._future.done():
            self._future.set_result(number)


def _end_by_force() -> None:
    timer = threading.Event()
    timer.wait(END_WITHIN_S)
    faulthandler.dump_traceback(sys.stderr)
    _clean_up()
    os._exit(1)


def _clean_up() -> None:
    reclaim(own=True)
    depart()


def node_class(name: str) -> type[LoomNode]:
    """The node class of `nodes/<name>.py`."""
    import importlib
    try:
        module = importlib.import_module(f'loom.nodes.{name}')
    except ModuleNotFoundError as error:
        raise ConfigError(f'no node named {name!r}: {error}') from None
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, LoomNode) and value.__module__ == module.__name__:
            return value
    raise ConfigError(f'loom.nodes.{name} holds no node')


def node_maker(given: str) -> Maker:
    """Makes the node `name`, of its own class, or `name=class`, of another: guard_host=agent_host."""
    name, _, of_class = given.partition('=')
    return partial(node_class(of_class or name), node_name=name)


def own_arguments(arguments: Sequence[str]) -> list[str]:
    """The command line without what ROS adds to it."""
    return list(arguments[:arguments.index('--ros-args')]) if '--ros-args' in arguments else list(arguments)
