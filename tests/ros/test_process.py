"""A process of Loom: it ends in time on every way out, is idle when nothing happens, says what is wrong."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('rclpy')

from process_tree import name_of, runs

from loom.core.errors import ConfigError
from loom.ros.process import DDS_STUCK, node_class, node_maker, own_arguments

START_S = 20.0
# The promise is two seconds; the interpreter's own end comes on top on a busy machine.
END_S = 4.0
PTRACE_SEIZE, PTRACE_INTERRUPT, WALL = 0x4206, 0x4207, 0x40000000
NODE = """
import os, sys, threading, time
from pydantic import Field
from std_msgs.msg import String
from loom.core.config import NodeConfig
from loom.core.errors import DeviceError
from loom.ros.node import LoomNode
from loom.ros.process import run

class PumpConfig(NodeConfig):
    '''Settings.'''
    rate_hz: float = Field(1.0, gt=0, le=10, description='Strokes a second.')

class Pump(LoomNode):
    '''A pump.'''
    __module__ = 'nodes.pump'
    Config = PumpConfig
    def __init__(self, **options):
        super().__init__(**options)
        self.trigger_configure()
        self.trigger_activate()
        print('ready', os.getpid(), flush=True)
    def configure(self):
        self.out = self.publisher(String, 'out', __import__('loom.core.delivery').core.delivery.STATE)
        self.every(1 / self.config.rate_hz, self.stroke)
    def stroke(self):
        {stroke}
    def cleanup(self):
        {cleanup}
        print('cleaned up', flush=True)

run(Pump)
"""


def pump(stroke: str = 'pass', cleanup: str = 'pass') -> str:
    return NODE.replace('{stroke}', stroke).replace('{cleanup}', cleanup)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_cleanly_and_leaves_no_shared_memory(program: Callable[..., Any], until: Any,
                                                              number: int) -> None:
    one = program(pump())
    until(lambda: 'ready' in one.text, 'no start', START_S)
    held = one.segments()
    assert one.end(number, END_S) == 0, one.text
    assert one.text.count('cleaned up') == 1 and 'Traceback' not in one.text
    left = [path.name for path in held if path.exists() and 'port' not in path.name]
    assert held and not left, f'{left} stays behind'


def test_a_second_signal_changes_nothing(program: Callable[..., Any], until: Any) -> None:
    one = program(pump())
    until(lambda: 'ready' in one.text, 'no start', START_S)
    for _ in range(3):
        one.process.send_signal(signal.SIGINT)
    assert one.end(signal.SIGTERM, END_S) == 0, one.text


def test_a_signal_during_the_start_ends_it_too(program: Callable[..., Any], until: Any) -> None:
    one = program('print("early", flush=True)\n' + pump())
    until(lambda: 'early' in one.text, 'no start', START_S)
    one.end(signal.SIGTERM, START_S)


def test_a_cleanup_that_hangs_is_ended_by_force_and_leaves_no_shared_memory(program: Callable[..., Any],
                                                                            until: Any) -> None:
    one = program(pump(cleanup='time.sleep(60)'))
    until(lambda: 'ready' in one.text, 'no start', START_S)
    held = one.segments()
    assert one.end(signal.SIGTERM, END_S) == 1
    assert 'time.sleep' in one.text or 'cleanup' in one.text, 'nothing says where it hung'
    assert not [path.name for path in held if path.exists() and 'port' not in path.name]


def test_a_cleanup_that_hangs_with_pythons_lock_is_ended_by_force(program: Callable[..., Any], until: Any) -> None:
    one = program(pump(cleanup="__import__('ctypes').PyDLL(None).sleep(60)"))
    until(lambda: 'ready' in one.text, timeout_s=START_S)
    assert one.end(signal.SIGTERM, END_S) == 1
    assert 'in cleanup' in one.text


def test_a_process_whose_dds_is_blocked_says_so_and_ends(program: Callable[..., Any], until: Any) -> None:
    one = program(pump())
    until(lambda: 'ready' in one.text, timeout_s=START_S)
    timers = next(int(task.name) for task in Path(f'/proc/{one.process.pid}/task').iterdir()
                  if name_of(int(task.name)).startswith('dds.ev.'))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.ptrace(PTRACE_SEIZE, timers, None, None) == 0, os.strerror(ctypes.get_errno())
    assert libc.ptrace(PTRACE_INTERRUPT, timers, None, None) == 0, os.strerror(ctypes.get_errno())
    until(lambda: 'DDS has stopped in this process' in one.text)
    # Whoever stopped a thread is told of its end before the process is gone.
    while os.WIFSTOPPED(os.waitpid(timers, WALL)[1]):
        pass
    assert one.process.wait(END_S) == DDS_STUCK


def test_idle_costs_nothing(program: Callable[..., Any], until: Any) -> None:
    one = program(pump())
    until(lambda: 'ready' in one.text, 'no start', START_S)
    time.sleep(0.5)
    before = one.cpu_s()
    time.sleep(2.0)
    assert one.cpu_s() - before < 0.2, 'an idle process must not spin'
    assert one.end(signal.SIGTERM, END_S) == 0


def test_a_busy_process_obeys_too(program: Callable[..., Any], until: Any) -> None:
    one = program(pump('[self.out.publish(String(data="x" * 1000)) for _ in range(3000)]'), LOOM_PUMP_RATE_HZ='10')
    until(lambda: 'ready' in one.text, 'no start', START_S)
    time.sleep(0.5)
    assert one.end(signal.SIGTERM, END_S) == 0, one.text


def test_it_dies_with_its_parent(program: Callable[..., Any], until: Any) -> None:
    code = f'import subprocess, sys; subprocess.Popen([sys.executable, "-c", {pump()!r}]).wait()'
    parent = program(code)
    until(lambda: 'ready' in parent.text, 'no start', START_S)
    child = int(next(line for line in parent.text.splitlines() if line.startswith('ready')).split()[1])
    os.kill(parent.process.pid, signal.SIGKILL)
    until(lambda: not runs(child), 'the child outlived its parent')
    assert 'cleaned up' in parent.text


@pytest.mark.parametrize(('environment', 'text'), [
    ({'LOOM_PUMP_RATE_HZ': '500'}, 'error: pump: rate_hz: input should be less than or equal to 10, got 500'),
    ({'LOOM_PUMP_RATE_HZ': '[1'}, 'error: LOOM_PUMP_RATE_HZ must be a value in YAML')])
def test_bad_settings_are_one_line_and_exit_code_2(program: Callable[..., Any], environment: dict[str, str],
                                                   text: str) -> None:
    one = program(pump(), **environment)
    assert one.process.wait(START_S) == 2
    assert one.text.startswith(text) and len(one.text.splitlines()) == 1


@pytest.mark.parametrize(('arguments', 'text'), [
    (['no_such_node'], "no node named 'no_such_node'"), ([], 'container needs the names of the nodes to run'),
    (['container'], 'loom.nodes.container holds no node'), (['../../etc'], "no node named '../../etc'")])
def test_a_container_names_what_is_wrong(program: Callable[..., Any], arguments: list[str], text: str) -> None:
    import sys
    one = program(command=[sys.executable, '-m', 'loom.nodes.container', *arguments, '--ros-args', '-r', '__ns:=/x'])
    assert one.process.wait(START_S) == 2
    assert text in one.text and len(one.text.splitlines()) == 1


def test_a_broken_parameter_file_is_one_line_and_exit_code_2(program: Callable[..., Any], tmp_path: Any) -> None:
    import sys
    (tmp_path / 'broken.yaml').write_text('supervisor:\n  ros__parameters: [\n')
    one = program(command=[sys.executable, '-m', 'loom.nodes.container', 'supervisor', '--ros-args', '--params-file',
                           str(tmp_path / 'broken.yaml')])
    assert one.process.wait(START_S) == 2
    assert 'broken.yaml' in one.text and 'Traceback' not in one.text


def test_two_nodes_share_a_container(program: Callable[..., Any], ros: Any) -> None:
    import sys

    import rclpy
    from lifecycle_client import ACTIVATE, CONFIGURE, LifecycleClient
    one = program(command=[sys.executable, '-m', 'loom.nodes.container', 'synthetic', 'other=synthetic',
                           '--ros-args', '-r', f'__ns:=/{ros.namespace}'])
    guest = ros.add(rclpy.create_node, 'guest')
    for name in ('synthetic', 'other'):
        for step in (CONFIGURE, ACTIVATE):
            LifecycleClient(guest, name).transition(step, START_S)
        assert f'[{ros.namespace}.{name}]: activate done' in one.text
    assert one.end(signal.SIGTERM, END_S) == 0, one.text


def test_node_classes_are_found_by_file_name() -> None:
    assert node_class('supervisor').__name__ == 'Supervisor'
    with pytest.raises(ConfigError, match="no node named 'supervisr'"):
        node_class('supervisr')


def test_a_node_may_have_another_name_than_its_class() -> None:
    assert node_maker('guard_host=agent_host').keywords == {'node_name': 'guard_host'}  # type: ignore[attr-defined]
    assert node_maker('agent_host').keywords == {'node_name': 'agent_host'}  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="no node named 'agent_hst'"):
        node_maker('guard_host=agent_hst')


@pytest.mark.parametrize(('given', 'own'), [
    (['a', 'b', '--ros-args', '-r', 'x:=y'], ['a', 'b']), (['a'], ['a']), (['--ros-args'], []), ([], [])])
def test_what_ros_adds_to_the_command_line_is_not_ours(given: list[str], own: list[str]) -> None:
    assert own_arguments(given) == own
