"""Agents from files: what is loaded is what the file says now, and a load that fails changes nothing."""

from __future__ import annotations

import gc
import importlib
import os
import re
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loom.agents.reload import Source, agent_files, sources
from loom.core.errors import ConfigError

PORTER = """from loom import Agent
porter = Agent('porter')
ANSWER = '{answer}'
"""
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path
    return write


def answer(source: Source, name: str = 'porter') -> Any:
    """What the module of a fresh load says."""
    program = source.load()
    program.install()
    try:
        return sys.modules[name].ANSWER
    finally:
        program.withdraw()


def failure(source: Source) -> str:
    """Why a load fails; nothing that can be imported is changed by it."""
    before, finders = dict(sys.modules), list(sys.meta_path)
    with pytest.raises(ConfigError) as caught:
        source.load()
    assert finders == sys.meta_path
    assert {name: module for name, module in sys.modules.items() if name in before} == before
    return str(caught.value)


def test_a_change_of_the_same_size_and_time_is_seen(write: Write, tmp_path: Path) -> None:
    file = write('porter.py', PORTER.format(answer='one'))
    stamp = file.stat()
    source = Source(file)
    assert answer(source) == 'one' and source.look() == source.digests
    write('porter.py', PORTER.format(answer='two'))
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert source.look() != source.digests
    assert answer(source) == 'two' and source.look() == source.digests
    assert not list(tmp_path.rglob('*.pyc')) and 'porter' not in sys.modules


def test_what_is_imported_from_the_folder_is_new_too_and_the_old_keeps_its_own(write: Write) -> None:
    file = write('porter.py', 'from loom import Agent\nimport words\nfrom tools import lift\n'
                              'porter = Agent("porter")\nANSWER = lambda: (words.HELLO, lift.HEIGHT)\n')
    words, lift = write('words.py', 'HELLO = "hello"'), write('tools/lift.py', 'HEIGHT = 1')
    write('tools/__init__.py', '')
    source = Source(file)
    old = answer(source)
    assert {file, words, lift} <= source.digests.keys() and old() == ('hello', 1)
    words.write_text('HELLO = "good day"')
    lift.write_text('HEIGHT = 2')
    assert source.look() != source.digests
    assert answer(source)() == ('good day', 2) and old() == ('hello', 1)
    assert not {'words', 'tools', 'tools.lift'} & sys.modules.keys()


def test_a_handler_may_import_later(write: Write) -> None:
    source = Source(write('porter.py', PORTER.format(answer='x') + 'def late():\n    import words\n    return words.A'))
    words = write('words.py', 'A = 1')
    program = source.load()
    program.install()
    late = sys.modules['porter'].late
    assert late() == 1 and source.look() == source.digests
    words.write_text('A = 22')
    assert source.look() != source.digests
    program.withdraw()
    assert not {'words', 'porter'} & sys.modules.keys()


def test_two_files_are_loaded_with_their_own_modules_of_one_name(write: Write) -> None:
    first = write('a/first.py', 'from loom import Agent\nimport words\nfirst = Agent("first")\nANSWER = words.A')
    second = write('b/second.py', 'from loom import Agent\nimport words\nsecond = Agent("second")\nANSWER = words.A')
    write('a/words.py', 'A = 1')
    write('b/words.py', 'A = 2')
    held = Source(first).load()
    held.install()
    assert sys.modules['first'].ANSWER == 1 and answer(Source(second), 'second') == 2
    held.withdraw()


@pytest.mark.parametrize(('text', 'message'), [
    ('x = 1\nclass A(\n', r'porter.py:2: SyntaxError: .+'),
    ('def f():\n    raise ValueError("no such thing")\n\nf()\n', r'porter.py:2: ValueError: no such thing'),
    ('import sys\nsys.exit(3)\n', r'porter.py:2: SystemExit: 3'),
    ('\nimport nowhere_at_all\n', r"porter.py:2: ModuleNotFoundError: No module named 'nowhere_at_all'"),
    ('import broken\n', r'broken.py:2: ZeroDivisionError: .+'),
    ('from loom import Agent\na = Agent("a")\n\n@a.on("Not A Type")\nasync def f(ctx, event): ...\n',
     r'porter.py:4: a pattern must be .+'),
    ('from loom import Agent\na = Agent("a")\n\n@a.capability\nasync def f(ctx) -> None: ...\n',
     r'porter.py:4: a capability needs a docstring .+'),
    ('x = 1\n', r'porter.py: holds no agent; .+'), ('', r'porter.py: holds no agent; .+')])
def test_what_fails_is_named_with_file_and_line(write: Write, text: str, message: str) -> None:
    write('broken.py', 'x = 0\nx / x\n')
    source = Source(write('porter.py', text))
    found = failure(source)
    assert re.search(f'/{message}$', found), found
    assert source.look() == source.digests
    source.file.write_text(PORTER.format(answer='mended'))
    assert source.look() != source.digests and answer(source) == 'mended'


def test_a_file_that_was_missing_is_waited_for(write: Write, tmp_path: Path) -> None:
    source = Source(write('porter.py', PORTER.format(answer='x') + 'from words import A as ANSWER\n'))
    assert "No module named 'words'" in failure(source) and source.look() == source.digests
    write('words.py', 'A = "there"')
    assert source.look() != source.digests and answer(source) == 'there'
    source.file.unlink()
    assert source.look() != source.digests
    assert failure(source) == f'{source.file} is gone' and source.look() == source.digests


def test_a_name_that_is_taken_is_refused(write: Write) -> None:
    assert 'must not be named like a module that is loaded already' in failure(
        Source(write('json.py', PORTER.format(answer='x'))))
    assert importlib.import_module('json').loads('1') == 1


def test_a_folder_without_init_hides_no_package(write: Write) -> None:
    write('email/notes.txt', '')
    assert answer(Source(write('porter.py', PORTER.format(answer='') + 'import email.policy as ANSWER'))).SMTP


def test_agents_that_are_only_imported_are_left_to_their_own_file(write: Write) -> None:
    porter = write('porter.py', PORTER.format(answer='x'))
    team = Source(write('team.py', 'from loom import Agent\nfrom porter import porter\nguard = Agent("guard")\n'))
    assert [agent.name for agent in team.load().agents] == ['porter', 'guard']
    assert [agent.name for agent in team.load({porter}).agents] == ['guard']


def test_module_and_attribute(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    write('my_crew/__init__.py', 'from my_crew import words')
    words = write('my_crew/words.py', 'A = 1')
    write('my_crew/crew.py', 'from loom import Agent\nfrom my_crew import words\nANSWER = words.A\n'
                             'porter, guard = Agent("porter"), Agent("guard")\n')
    source, = sources('my_crew.crew:guard')
    assert [agent.name for agent in source.load().agents] == ['guard']
    assert answer(source, 'my_crew.crew') == 1
    words.write_text('A = 22')
    assert source.look() != source.digests and answer(source, 'my_crew.crew') == 22
    other, = sources('my_crew.crew:ANSWER')
    assert "'ANSWER' must be a loom.Agent, got int" in failure(other)


def test_targets(write: Write, tmp_path: Path) -> None:
    porter, _ = write('crew/porter.py', PORTER), write('crew/words.py', 'x = 1')
    write('crew/test_porter.py', 'from loom import Agent\nAgent("x")')
    assert agent_files(tmp_path / 'crew') == [porter]
    assert [source.file for source in sources(str(tmp_path / 'crew'))] == [porter]
    for wrong in ('nowhere.py', str(tmp_path / 'not-a-name.py'), 'nowhere', 'nowhere.at.all:x', 'sys:path', ':x'):
        with pytest.raises(ConfigError, match='got|can not be loaded'):
            sources(wrong)


def test_fifty_loads_leave_one_module(write: Write) -> None:
    file = write('porter.py', PORTER.format(answer=0) + 'import words\nclass A: ...\n')
    write('words.py', 'x = 1')
    source, old, known = Source(file), [], None
    for number in range(50):
        file.write_text(PORTER.format(answer=number) + ('import words\nclass A: ...\n' if number % 3 else 'x = (\n'))
        if number % 3 == 0:
            failure(source)
            continue
        program = source.load()
        program.install()
        old.append(weakref.ref(sys.modules['porter']))
        known = known or (len(sys.modules), len(sys.meta_path))
        assert (len(sys.modules), len(sys.meta_path)) == known
        program.withdraw()
    del program
    gc.collect()
    assert [ref for ref in old if ref() is not None] == []
