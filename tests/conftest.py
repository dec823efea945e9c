"""What tests share: waiting with a deadline, a ROS context of their own, processes that always end."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

# What tests of several folders share lies beside this file.
sys.path.append(str(Path(__file__).resolve().parent))

from burial import bury_the_dead
from process_tree import shared_memory

os.environ.setdefault('ROS_DOMAIN_ID', '36')
os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
os.environ.setdefault('FASTDDS_DEFAULT_PROFILES_FILE',
                      str(Path(__file__).resolve().parents[1] / 'config' / 'dds' / 'fastdds.xml'))

# Started in the background of a shell, this process and all that it starts would ignore SIGINT.
signal.signal(signal.SIGINT, signal.default_int_handler)

WAIT_S = 20.0
ALONE_S = 1.5
EXIT_CODE = pytest.StashKey[int]()
END_S = 5.0
Until = Callable[..., None]


def wait_until(condition: Callable[[], Any], what: str = 'the condition did not come true',
               timeout_s: float = WAIT_S) -> None:
    """Returns as soon as the condition holds; fails with the text where it never does."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f'{what} within {timeout_s} s'
        time.sleep(0.005)


@pytest.fixture
def until() -> Until:
    return wait_until


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[EXIT_CODE] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends as every process does that has a DDS participant."""
    if 'loom.ros.participant' in sys.modules:
        from loom.core.leaving import leave
        from loom.ros.participant import depart
        depart()
        leave(config.stash.get(EXIT_CODE, 1))


class Ros:
    """Nodes of one test, spun in a thread; they are made in the test's thread."""

    def __init__(self, namespace: str) -> None:
        from rclpy.task import Future

        from loom.ros.participant import process_context
        from loom.ros.process import new_executor
        self.namespace = namespace
        self.context = process_context()
        self.executor = new_executor(self.context)
        self.nodes: list[Any] = []
        self.fault: BaseException | None = None
        self._done: Any = Future()
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def add(self, node_class: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """A node of the class, in this context and namespace, being spun."""
        options = {'context': self.context, 'namespace': self.namespace, **options}
        self.nodes.append(node_class(*arguments, **options))
        self._on_executor(self.executor.add_node, self.nodes[-1])
        return self.nodes[-1]

    def remove(self, node: Any) -> None:
        """Ends one node before the others."""
        self.nodes.remove(node)
        self._on_executor(self.executor.remove_node, node)
        with suppress(AttributeError):
            node.end()
        node.destroy_node()

    def close(self) -> None:
        """Ends nodes and thread."""
        self._done.set_result(None)
        self._thread.join(END_S)
        for node in list(self.nodes):
            self.remove(node)
        self.executor.shutdown(timeout_sec=0.5)
        assert self.fault is None, f'this would have ended the process: {self.fault!r}'

    def _on_executor(self, function: Callable[[Any], Any], node: Any) -> None:
        # An executor may not get or lose nodes from another thread while it spins.
        if not self._thread.is_alive():
            function(node)
            return
        done = threading.Event()
        self.executor.create_task(lambda: (function(node), done.set()))
        wait_until(lambda: done.is_set() or self.fault, 'the executor stands still')

    def _spin(self) -> None:
        from loom.ros.process import spin_once
        try:
            while not self._done.done():
                spin_once(self.executor, 0.05)
        except BaseException as error:
            self.fault = error


@pytest.fixture(scope='module', autouse=True)
def _participant() -> Iterator[None]:
    """The tests of a file share a DDS participant; one that has had thousands of endpoints takes seconds to match."""
    yield
    participant = sys.modules.get('loom.ros.participant')
    bury_the_dead()
    held = participant.forget() if participant else []
    if held:
        # Nodes and what they hold are in cycles.
        gc.collect()
    for node in (one.node for one in held):
        # It is removed where nobody else is there to be heard of: see loom.ros.participant.
        with suppress(AssertionError):
            wait_until(lambda node=node: len(node.get_node_names()) == 1, timeout_s=ALONE_S)
        node.destroy_node()
        node.context.try_shutdown()


@pytest.fixture
def ros(request: pytest.FixtureRequest) -> Iterator[Ros]:
    """Nodes whose names are in a namespace of this test only."""
    pytest.importorskip('rclpy')
    world = Ros(f'test_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**8}')
    yield world
    world.close()


class Program:
    """A process under test with its output, killed by its id at the end."""

    def __init__(self, output: Path, arguments: list[str], **environment: str) -> None:
        self.output = output
        self._file = output.open('wb')
        self.process = subprocess.Popen(arguments, stdout=self._file, stderr=subprocess.STDOUT, start_new_session=True,
                                        env={**os.environ, 'PYTHONUNBUFFERED': '1', **environment})

    @property
    def text(self) -> str:
        # Fast DDS reports when two processes of this machine open one shared-memory port at the same moment, and tries
        # again: a word of the transport, not of the program under test.
        lines = self.output.read_text(errors='replace').splitlines(keepends=True)
        return ''.join(line for line in lines if 'RTPS_TRANSPORT_SHM' not in line)

    def segments(self) -> set[Path]:
        """The shared memory of DDS that it has open, with the locks."""
        return shared_memory(self.process.pid)

    def end(self, number: int = signal.SIGTERM, timeout_s: float = END_S) -> int:
        """Sends the signal and returns the exit code; fails where it doesn't end."""
        self.process.send_signal(number)
        exit_code = self.process.wait(timeout_s)
        if number == signal.SIGKILL:
            bury_the_dead()
        return exit_code

    def cpu_s(self) -> float:
        """Processor seconds that it has used."""
        fields = Path(f'/proc/{self.process.pid}/stat').read_text().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def close(self) -> None:
        """Kills what is left of it and its children."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(END_S)
        self._file.close()
        bury_the_dead()


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Starts `python -c code` or, with `command=[...]`, any program."""
    started: list[Program] = []

    def start(code: str = '', command: list[str] | None = None, **environment: str) -> Program:
        arguments = command or [sys.executable, '-c', code]
        started.append(Program(tmp_path / f'output_{len(started)}', arguments, **environment))
        return started[-1]
    yield start
    for one in started:
        one.close()


@pytest.fixture(scope='session', autouse=True)
def _state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What programs under test keep does not go to the user's own folder."""
    before = os.environ.get('XDG_STATE_HOME')
    os.environ['XDG_STATE_HOME'] = str(tmp_path_factory.mktemp('state'))
    yield
    if before is None:
        del os.environ['XDG_STATE_HOME']
    else:
        os.environ['XDG_STATE_HOME'] = before


@pytest.fixture(scope='session', autouse=True)
def _shared_memory() -> Iterator[None]:
    """Tests kill processes; the segments of the killed go before they fill the memory."""
    yield
    with suppress(ImportError):
        from loom.ros.shared_memory import reclaim
        reclaim()
