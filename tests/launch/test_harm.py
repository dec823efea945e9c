"""Agents that hang, hold the interpreter, breed or die: their host is back, and nobody else is touched."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).resolve().parent))
from process_tree import children, name_of, runs
from scene import SPARE, Blow, Scene, continue_all, forgiving, scene

AGENTS = '["saboteurs:saboteur", "saboteurs:thinker", "saboteurs:bystander"]'
HOST = 'agent_host'
BACK_S = 20.0
NOTICED_S = 3.0
CALL_S = 15.0
Until = Callable[..., None]


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the agents and the tests leave signs for each other."""
    return tmp_path_factory.mktemp('signs')


@pytest.fixture(scope='module')
def robot(folder: Path, table: Path) -> Iterator[Scene]:
    arguments = 'sim:=none', f'processes_file:={forgiving(table, folder)}'
    with scene(folder, *arguments, LOOM_AGENT_HOST_AGENTS=AGENTS, LOOM_TEST_FOLDER=str(folder)) as started:
        yield started


def do_harm(robot: Scene, deed: str) -> Blow:
    """Has the saboteur do it."""
    blow = Blow(HOST, robot.processes()[HOST], len(robot.reports), 0.0)
    robot.robot.client.publish('test.harm', {'deed': deed, 'name': f'{deed} {blow.pid}'})
    return blow


def others(robot: Scene) -> dict[str, int]:
    """All but the host and the spare that may take its place."""
    return {name: pid for name, pid in robot.processes().items() if name not in (HOST, SPARE)}


@pytest.mark.parametrize(('deed', 'reason'), [
    ('spin', "agent_host: the agents' loop has not answered"), ('hold', 'gave no sign for 1 s'),
    ('breed', 'and 64 is the most')])
def test_a_host_that_does_harm_is_replaced(robot: Scene, until: Until, deed: str, reason: str) -> None:
    siblings, said = others(robot), robot.text.count(reason)
    blow = do_harm(robot, deed)
    until(lambda: not runs(blow.pid), f'nobody noticed: {deed}', NOTICED_S)
    until(lambda: robot.back(blow), 'the host is not back', BACK_S)
    assert robot.text.count(reason) > said
    assert others(robot) == siblings
    assert robot.robot.client.invoke('greet', {'name': 'bob'}, CALL_S) == 'hello bob'
    until(lambda: not bred(), 'what the agent began lives on')


def test_calls_of_a_host_that_dies_are_answered(robot: Scene, until: Until) -> None:
    from loom.act.capability import INTERRUPTED
    from loom.core.errors import CapabilityError
    client = robot.robot.client
    running = client.events('agent.begun')
    with ThreadPoolExecutor(2) as pool:
        once = pool.submit(client.invoke, 'ponder', {'seconds': 2.0}, CALL_S)
        twice = pool.submit(client.invoke, 'count', {'seconds': 2.0}, CALL_S)
        assert {running.get(timeout=CALL_S).data['what'] for _ in range(2)} == {'ponder', 'count'}
        blow = robot.strike(HOST, signal.SIGKILL)
        with pytest.raises(CapabilityError) as refused:
            once.result(CALL_S + 5.0)
        assert twice.result(CALL_S + 5.0) == 'done'
    assert refused.value.code == INTERRUPTED
    until(lambda: robot.back(blow), 'the host is not back', BACK_S)
    assert client.invoke('greet', {'name': 'bob'}, CALL_S) == 'hello bob'


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGSTOP])
def test_a_host_that_is_struck_while_it_configures_is_back(robot: Scene, until: Until, folder: Path,
                                                           number: int) -> None:
    loading = folder / 'loading'
    (folder / 'slow').touch()
    blow = robot.strike(HOST, signal.SIGKILL)
    until(loading.exists, 'no other host began to configure')
    second = next(pid for pid in children(robot.keeper()) if name_of(pid) == HOST and pid != blow.pid)
    loading.unlink()
    try:
        os.kill(second, number)
        until(loading.exists, 'no third host began to configure', NOTICED_S)
        assert not runs(second)
    finally:
        (folder / 'slow').unlink()
        continue_all([second])
    until(lambda: robot.back(blow) and robot.processes()[HOST] != second, 'the host is not back', BACK_S)
    assert robot.robot.client.invoke('greet', {'name': 'bob'}, CALL_S) == 'hello bob'


def bred() -> list[Any]:
    """What the saboteur began and still runs."""
    found = []
    for entry in Path('/proc').glob('[0-9]*/cmdline'):
        try:
            if entry.read_bytes() == b'sleep\x00297\x00':
                found.append(entry)
        except OSError:
            continue
    return found
