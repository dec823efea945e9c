"""loom dev: agents that are edited while others ask them, in a process of its own, with a robot's bus and without."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from loom import Agent
from loom.agents.host import AgentHost
from loom.cli.main import app
from loom.core.errors import ConfigError
from loom.memory.memory import Memory
from loom.memory.server import MemoryServer
from loom.memory.sqlite_store import SqliteStore

LOOM = str(Path(__file__).resolve().parents[2] / 'ros_ws' / 'src' / 'loom' / 'bin' / 'loom')
START_S = 30.0
END_S = 2.0
PORTER = """from loom import Agent
porter = Agent('porter')

@porter.on('porter.ask')
async def answer(ctx, event):
    times = ctx.recall('times', 0) + 1
    await ctx.remember('times', times)
    return ['{says}', times]

@porter.capability
async def carry(ctx) -> str:
    '''Carry a box.'''
    return '{says}'
"""
ASKER = """import json
from pathlib import Path
from loom import Agent
asker = Agent('asker')

@asker.every(0.05)
async def ask(ctx):
    try:
        answer = await ctx.request('porter', 'porter.ask', timeout_s=5.0)
    except Exception as error:
        answer = [repr(error), 0]
    with Path('{file}').open('a') as file:
        print(json.dumps(answer), file=file)
"""
BROKEN = [(PORTER + 'x = (\n', r'porter\.py:14: SyntaxError'),
          (PORTER + 'x = 1 / 0\n', r'porter\.py:14: ZeroDivisionError: division by zero'),
          (PORTER.replace("    '''Carry a box.'''\n", ''), r'porter\.py:10: a capability needs a docstring')]
Answers = Callable[[], list[Any]]


def edit(file: Path, says: str, until: Any, one: Any, answers: Answers) -> None:
    """Breaks the file in three ways, one after the other, then mends it: until then the old agent answers."""
    def spoil(text: str, complaint: str) -> None:
        before, shown = len(answers()), len(re.findall(complaint, one.text))
        file.write_text(text.format(says='broken'))
        until(lambda: len(re.findall(complaint, one.text)) > shown, f'no {complaint}')
        until(lambda: len(answers()) > before + 3, 'nobody answers')
    for text, complaint in BROKEN:
        spoil(text, complaint)
    file.write_text(PORTER.format(says=says))
    until(lambda: answers()[-1][0] == says, f'the mended agent does not answer: {one.text}')


def check_answers(answers: list[Any], said: list[str]) -> None:
    """Every question was answered, by the versions in their order, and what they remembered went on."""
    words = [word for word, _ in answers]
    assert list(dict.fromkeys(words)) == said, words
    times = [count for _, count in answers]
    assert times == list(range(times[0], times[0] + len(times))), times


def end(one: Any) -> None:
    """Ctrl-C: it ends in time and leaves nothing."""
    segments, began_s = one.segments(), time.monotonic()
    assert one.end(signal.SIGINT, END_S + START_S) == 0, one.text
    assert time.monotonic() - began_s < END_S and 'Traceback' not in one.text, one.text
    assert not [segment for segment in segments if segment.exists()]


def test_without_a_robot(program: Callable[..., Any], until: Any, tmp_path: Path) -> None:
    crew, said = tmp_path / 'crew', tmp_path / 'said'
    crew.mkdir()
    file = crew / 'porter.py'
    file.write_text(PORTER.format(says='one'))
    (crew / 'asker.py').write_text(ASKER.format(file=said))

    def answers() -> list[Any]:
        return [json.loads(line) for line in said.read_text().splitlines()] if said.exists() else []
    one = program(command=[sys.executable, LOOM, 'dev', str(crew), '--local'])
    until(lambda: len(answers()) > 3, f'no start: {one.text}', START_S)
    edit(file, 'two', until, one, answers)
    edit(file, 'three', until, one, answers)
    check_answers(answers(), ['one', 'two', 'three'])
    (crew / 'guard.py').write_text("from loom import Agent\nguard = Agent('guard')\n")
    until(lambda: re.search(r'running \S+guard\.py in \d+ ms: guard\n', one.text), 'the new file was not seen')
    (crew / 'guard.py').write_text("from loom import Agent\nwatch = Agent('watch')\n")
    until(lambda: re.search(r'reloaded \S+guard\.py in \d+ ms: \+watch, -guard\n', one.text), one.text)
    (crew / 'guard.py').write_text("from loom import Agent\nwatch = Agent('porter')\n")
    until(lambda: "an agent named 'porter' runs already, from another file" in one.text, one.text)
    (crew / 'guard.py').unlink()
    until(lambda: re.search(r'ended \S+guard\.py: the file is gone\n', one.text), one.text)
    end(one)


@contextmanager
def asking(namespace: str) -> Iterator[tuple[list[Any], Any]]:
    """A memory, and somebody on the robot's bus who asks the porter every 50 ms from when the thread is started."""
    from loom.ros.client import robot_client
    answers: list[Any] = []
    ended = threading.Event()
    with robot_client(namespace) as client:
        host = AgentHost(client.bus, client.clock, Agent('asker'))
        memory = Memory(SqliteStore(), client.clock)
        server = on_executor(client, lambda: MemoryServer(client.bus, client.clock, memory))
        on_executor(client, host.start)

        def go_on() -> None:
            while not ended.wait(0.05):
                try:
                    answers.append(host.run('asker', lambda ctx: ctx.request('porter', 'porter.ask'), 7.0))
                except Exception as error:
                    answers.append([repr(error), 0])
        thread = threading.Thread(target=go_on)
        try:
            yield answers, (client, thread)
        finally:
            ended.set()
            if thread.is_alive():
                thread.join(START_S)
            on_executor(client, host.stop)
            on_executor(client, server.close)
            memory.close()


def on_executor(client: Any, work: Callable[[], Any]) -> Any:
    done: Future[Any] = Future()
    client.node.executor.create_task(lambda: done.set_result(work()))
    return done.result(START_S)


def test_on_a_robot(program: Callable[..., Any], until: Any, tmp_path: Path) -> None:
    pytest.importorskip('rclpy')
    namespace = f'dev_{os.getpid()}'
    file = tmp_path / 'porter.py'
    file.write_text(PORTER.format(says='one'))
    with asking(namespace) as (answers, (client, thread)):
        one = program(command=[sys.executable, LOOM, 'dev', str(file), '-n', namespace])
        until(lambda: 'running' in one.text, f'no start: {one.text}', START_S)
        thread.start()
        until(lambda: len(answers) > 3, f'nobody answers: {one.text}', START_S)
        host, = client.directory()
        assert re.fullmatch(r'dev_host_\d+', host.host)
        assert [(a.id, a.state, [c.name for c in a.capabilities]) for a in host.agents] == [
            ('porter', 'active', ['carry'])]
        edit(file, 'two', until, one, lambda: answers)
        edit(file, 'three', until, one, lambda: answers)
        check_answers(answers, ['one', 'two', 'three'])
        assert len(answers) > 20
    end(one)


@pytest.mark.parametrize('target', ['nowhere.py', 'no_such_module:agent', 'porter'])
def test_a_target_that_is_not_there_is_refused(target: str) -> None:
    result = CliRunner().invoke(app, ['dev', target, '--local'])
    assert isinstance(result.exception, ConfigError) and target in str(result.exception)


def test_a_file_that_is_broken_from_the_start_is_waited_for(program: Callable[..., Any], until: Any,
                                                            tmp_path: Path) -> None:
    file = tmp_path / 'porter.py'
    file.write_text('x = (\n')
    one = program(command=[sys.executable, LOOM, 'dev', str(file), '--local'])
    until(lambda: 'porter.py, nothing of it runs:' in one.text, 'no word of it', START_S)
    file.write_text(PORTER.format(says='one'))
    until(lambda: re.search(r'running \S+porter\.py in \d+ ms: porter\n', one.text), 'it does not run')
    end(one)
