"""Agents replaced while others ask them: every question is answered, by the old ones or by the new."""

from __future__ import annotations

import asyncio
import builtins
import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from loom import Agent, Context, LocalTeam
from loom.agents.host import AgentHost
from loom.agents.hot_swap import HotSwap
from loom.agents.reload import Source
from loom.core.errors import AgentError, ConfigError, LoomError
from loom.core.local_bus import LocalBus
from loom.memory.memory import Memory
from loom.memory.server import ADDRESS, MemoryServer
from loom.memory.sqlite_store import SqliteStore

GUARD = """from loom import Agent
import asyncio
import time
import marks

guard = Agent('guard')

@guard.on('guard.*')
async def answer(ctx, event):
    {work}
    return '{says}'

@guard.capability
async def patrol(ctx) -> str:
    '''Walk.'''
    {work}
    return '{says}'
"""
MARKS = 'import builtins\nlist = builtins.loom_test_marks\n'


class Desk:
    """A team around one HotSwap: a broker, a memory, an asker."""

    body = None

    def __init__(self, team: LocalTeam, folder: Path) -> None:
        self.team, self.bus, self.clock = team, team.bus, team.clock
        self.asker = AgentHost(team.bus, team.clock, Agent('asker'))
        self.swap = HotSwap(self)
        self.source = Source(folder / 'guard.py')

    def memory(self) -> str:
        return ADDRESS

    def run(self, work: Callable[[], Any]) -> Any:
        return work()

    def attend(self, cards: tuple[Any, ...]) -> None:
        self.team.broker.update('dev_host', tuple(c for card in cards for c in card.capabilities))

    def become(self, says: str = 'x', work: str = 'pass', text: str = GUARD) -> str:
        """Writes the file and lets its agents take over."""
        self.source.file.write_text(text.format(says=says, work=work))
        try:
            return self.swap.replace(self.source.load())
        finally:
            self.attend(self.swap.cards())

    def ask(self, timeout_s: float = 5.0, type: str = 'guard.ask', data: Any = None) -> Any:
        return self.asker.run('asker', lambda ctx: ctx.request('guard', type, data, timeout_s), timeout_s + 1.0)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(builtins, 'loom_test_marks', [], raising=False)
    (tmp_path / 'marks.py').write_text(MARKS)
    with LocalTeam() as team:
        memory = Memory(SqliteStore(), team.clock)
        server = MemoryServer(team.bus, team.clock, memory)
        made = Desk(team, tmp_path)
        with made.asker:
            yield made
            made.swap.stop()
        server.close()
        memory.close()


class Asking:
    """Somebody who asks again and again, without a pause, in `with`."""

    def __init__(self, desk: Desk, ask: Callable[[], Any]) -> None:
        self.answers: list[Any] = []
        self._ask, self._end = ask, threading.Event()
        self._thread = threading.Thread(target=self._go_on)

    def _go_on(self) -> None:
        while not self._end.wait(0.002):
            try:
                self.answers.append(self._ask())
            except LoomError as error:
                self.answers.append(error)

    def __enter__(self) -> Asking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(10.0)


def holdings(desk: Desk) -> tuple[int, ...]:
    """What a version could leave behind: threads, lines, subscriptions, mailboxes."""
    return (threading.active_count(), len(desk.swap._handover._lines), len(desk.bus._subscriptions),
            sum(len(boxes) for boxes in desk.bus._mailboxes.values()))


def open_tasks() -> int:
    return sum(isinstance(thing, asyncio.Task) and not thing.done() for thing in gc.get_objects())


def test_fifty_versions_answer_every_question_and_leave_nothing(desk: Desk, until: Any) -> None:
    desk.become('0')
    # Until it answers, it may still be waiting for what it remembers.
    assert desk.ask() == '0'
    before, tasks, versions = holdings(desk), open_tasks(), []

    def change(number: int) -> None:
        until(lambda: len(asking.answers) >= 2 * number)
        assert desk.become(str(number)) == ''
        now = desk.swap._now
        versions.append((weakref.ref(now.program._modules['guard']), weakref.ref(now.host)))
    with Asking(desk, desk.ask) as asking:
        for number in range(1, 50):
            change(number)
        until(lambda: asking.answers[-1] == '49')
    numbers = [int(answer) for answer in asking.answers]
    assert numbers == sorted(numbers) and len(set(numbers)) > 40
    gc.collect()
    assert [n for n, (module, host) in enumerate(versions[:-1]) if module() or host()] == []
    assert holdings(desk) == before and open_tasks() <= tasks


def test_no_event_is_lost_or_handled_twice(desk: Desk, until: Any) -> None:
    text = GUARD.replace('{work}', 'if event.type == "guard.count": marks.list.append(event.data)', 1)
    text = text.replace("@guard.on('guard.*')", "@guard.on('guard.*', delivery=BATCHED)")
    text = text.replace('import time', 'from loom.core.delivery import BATCHED')
    marks, sent = builtins.loom_test_marks, 0

    def change(sent: int) -> int:
        until(lambda: len(marks) >= sent)
        changing = threading.Thread(target=lambda: desk.become(text=text))
        changing.start()
        while changing.is_alive() or sent % 10:
            desk.team.emit('guard.count', sent)
            sent += 1
            time.sleep(0.0005)
        changing.join()
        return sent
    desk.become(text=text)
    for _ in range(20):
        sent = change(sent)
    until(lambda: len(marks) >= sent)
    assert marks == list(range(sent))


def test_who_is_at_work_ends_it_first(desk: Desk, until: Any) -> None:
    desk.become('old', 'marks.list.append(1); await asyncio.sleep(0.3)')
    marks = builtins.loom_test_marks
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(desk.ask())),
               threading.Thread(target=lambda: answers.append(desk.team.act('patrol')))]
    for thread in threads:
        thread.start()
    until(lambda: len(marks) == 2)
    assert desk.become('new') == '' and desk.ask() == 'new'
    for thread in threads:
        thread.join()
    assert answers == ['old', 'old']


@pytest.mark.parametrize(('work', 'notice'), [
    ('await asyncio.sleep(60)', 'was still at work after 1 s and was ended'),
    ('time.sleep(4)', 'did not end and can not be heard any longer')])
def test_a_question_to_one_that_hangs_is_answered_by_the_next(desk: Desk, until: Any, work: str, notice: str) -> None:
    desk.become('old', f'marks.list.append(1); {work}')
    marks = builtins.loom_test_marks
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(desk.ask(8.0))) for _ in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: marks)
    assert notice in desk.become('new')
    assert desk.ask() == 'new'
    for thread in threads:
        thread.join()
    assert answers == ['new'] * 3


def test_one_that_can_not_start_leaves_the_old_one(desk: Desk) -> None:
    desk.become('old')
    other = GUARD + '\nother = Agent("asker")\n'
    with Asking(desk, desk.ask) as asking:
        with pytest.raises(ConfigError, match="an agent named 'asker' runs already"):
            desk.become('new', text=other)
        twice = GUARD + '\nother = Agent("guard")\n'
        with pytest.raises(ConfigError, match='names must be unique'):
            desk.become('new', text=twice)
    assert desk.ask() == 'old' and set(asking.answers) == {'old'} and desk.swap.names == ('guard',)


def test_settings_that_do_not_fit_leave_the_old_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.become('old')
    monkeypatch.setenv('LOOM_AGENT_GUARD_LAPS', 'many')
    text = GUARD.replace("Agent('guard')", "Agent('guard', config=S())").replace(
        'import marks', 'import marks\nfrom pydantic import BaseModel\nclass S(BaseModel):\n    laps: int = 1\n')
    with pytest.raises(ConfigError, match='laps'):
        desk.become('new', text=text)
    with pytest.raises(AgentError, match='AttributeError: .+'):
        desk.become('new', text=GUARD.replace("Agent('guard')", "Agent('guard', config=5)"))
    assert desk.ask() == 'old'
    monkeypatch.setenv('LOOM_AGENT_GUARD_LAPS', '3')
    desk.become('{ctx.config.laps}', text=text.replace("return '{says}'", "return f'{says}'"))
    assert desk.ask() == '3'


def test_what_is_remembered_stays(desk: Desk) -> None:
    count = 'n = ctx.recall("n", 0) + 1; await ctx.remember("n", n)'
    text = GUARD.replace("return '{says}'", "return f'{says} {{n}}'", 1)
    for number, says in enumerate(('one', 'two', 'three'), 1):
        desk.become(says, count, text=text)
        assert desk.ask() == f'{says} {number}'


def test_agents_come_and_go_with_the_file(desk: Desk) -> None:
    helper = "\nporter = Agent('porter')\n@porter.on('porter.ask')\nasync def carry(ctx, event):\n    return 'here'\n"
    desk.become('one')
    desk.become('two', text=GUARD + helper)

    def ask(ctx: Context) -> Any:
        return ctx.request('porter', 'porter.ask', timeout_s=0.3)
    assert desk.swap.names == ('guard', 'porter') and desk.asker.run('asker', ask, 2.0) == 'here'
    desk.become('three')
    assert desk.swap.names == ('guard',) and desk.ask() == 'three'
    with pytest.raises(LoomError):
        desk.asker.run('asker', ask, 2.0)


def test_after_the_end_nobody_listens(desk: Desk) -> None:
    desk.become('one')
    desk.swap.stop()
    assert desk.swap.names == () and desk.swap.cards() == ()
    assert not [s for s in desk.bus._mailboxes['guard'] if s.inlet.open]
    desk.become('two')
    assert desk.ask() == 'two' and isinstance(desk.bus, LocalBus)
