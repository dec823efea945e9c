"""Processes in memory, on a clock that is set by hand: they give signs of life and obey, unless told otherwise."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Any, cast

import yaml

from loom.supervise.crew import Child, Crew, News
from loom.supervise.keeper import Keeper
from loom.supervise.settings import load
from loom.supervise.tree import Tree

BEAT_S = 0.1
KILL_S = 0.01
# Above every number that the kernel gives.
FIRST_PID = 1 << 23
# host needs memory and safety; safety stays active in the safe state; of camera each test says what its failure means.
NODES = ('supervisor', 'safety', 'memory', 'camera', 'host')
ACTIVE = dict.fromkeys(NODES[1:], 'active')
START_S, END_S, HEARTBEAT_S = 5.0, 1.5, 1.0
SECTION = """
start_s: 5.0
restarts: 3
safe_state: [safety]
nodes:
  camera: {on_failure: ON_FAILURE}
  host: {needs: [safety, memory], standby: warm, restarts: 6}
"""


class Line:
    """The keeper's end of a channel to a process."""

    def __init__(self, hear: Callable[[dict[str, Any]], None]) -> None:
        self._hear = hear

    def send(self, **message: Any) -> bool:
        self._hear(message)
        return True


class Life:
    """One process: the states of its nodes, and what it was told."""

    def __init__(self, crew: Processes, pid: int, nodes: tuple[str, ...]) -> None:
        self._crew = crew
        self.child = Child(pid, -1, cast(Any, Line(self.hear)), nodes, f'{pid:016x}')
        self.nodes = nodes
        self.states = dict.fromkeys(nodes, 'unconfigured')
        self.faults: dict[str, str] = {}
        self.reports: list[dict[str, Any]] = []
        self.answers: dict[int, str] = {}
        self.hung = self.ended = False
        self.busy = 0

    def hear(self, message: dict[str, Any]) -> None:
        if 'report' in message:
            self.reports.append(message['report'])
        if 'answer' in message:
            self.answers[message['answer']] = message['error']
        for node, state in message.get('want', {}).items():
            self._crew.asked.append((self._crew.now_s, node, state))
            self.busy += 1
            self._crew.after(0.0, self.say, busy=node)
            self._crew.after(self._crew.slow_s.get(node, 0.0), self.take, node, state)

    def take(self, node: str, state: str) -> None:
        self.busy -= 1
        reason = self._crew.refusals.get((node, state))
        if not reason:
            self.states[node] = state
        self.say(states=dict(self.states))
        self.say(done={node: state}, **({'failed': {node: reason}, 'misconfigured': self._crew.misconfigured}
                                        if reason else {}))

    def say(self, **message: Any) -> None:
        if not (self.hung or self.ended):
            self._crew.news.append(News(self.child, message))

    def beat(self) -> None:
        if not self.ended:
            if not self.busy:
                self.say(**({'faults': self.faults} if self.faults else {}))
            self._crew.after(BEAT_S, self.beat)

    def end(self, how: str, exit_code: int) -> None:
        if not self.ended:
            self.ended = True
            self._crew.news.append(News(self.child, None, how, exit_code))


class Processes:
    """What the keeper takes for its crew."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.news: list[News] = []
        self.lives: list[Life] = []
        self.starts: list[tuple[float, tuple[str, ...], bool]] = []
        self.asked: list[tuple[float, str, str]] = []
        self.spares = 0
        self.refusals: dict[tuple[str, str], str] = {}
        self.slow_s: dict[str, float] = {}
        self.stillborn: dict[str, int] = {}
        self.stubborn = self.misconfigured = False
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def after(self, delay_s: float, action: Callable[..., None], *arguments: Any, **options: Any) -> None:
        entry = (self.now_s + delay_s, next(self._numbers), lambda: action(*arguments, **options))
        heapq.heappush(self._agenda, entry)

    def start(self, nodes: tuple[str, ...], warm: bool = False) -> Child:
        life = Life(self, FIRST_PID + len(self.lives), nodes)
        self.lives.append(life)
        self.starts.append((self.now_s, nodes, warm))
        exit_code = next((self.stillborn[node] for node in nodes if node in self.stillborn), None)
        if exit_code is not None:
            self.after(0.0, life.end, f'ended with exit code {exit_code}', exit_code)
        else:
            self.after(0.0, life.say, states=dict(life.states))
            self.after(BEAT_S, life.beat)
        return life.child

    def wait(self, timeout_s: float) -> list[News]:
        end_s = self.now_s + timeout_s
        while not self.news and self._agenda and self._agenda[0][0] <= end_s:
            at_s, _, action = heapq.heappop(self._agenda)
            self.now_s = max(self.now_s, at_s)
            action()
        if not self.news:
            self.now_s = max(self.now_s, end_s)
        news, self.news = self.news, []
        return news

    def kill(self, child: Child) -> None:
        self.after(KILL_S, self.life_of(child).end, 'was ended by SIGKILL', -9)

    def ask_to_end(self, child: Child) -> None:
        if not self.stubborn:
            self.after(KILL_S, self.life_of(child).end, 'ended with exit code 0', 0)

    def everybody(self) -> list[Child]:
        return [life.child for life in self.lives if not life.ended]

    def keep_spares(self, count: int, silence_s: float) -> None:
        self.spares = count

    def life_of(self, child: Child) -> Life:
        return next(life for life in self.lives if life.child is child)


class Robot:
    """A keeper with its processes: a node has its own, unless `processes` says otherwise."""

    def __init__(self, section: str, nodes: tuple[str, ...], processes: dict[str, tuple[str, ...]] | None = None,
                 mode: str = 'active', others: tuple[str, ...] = ()) -> None:
        self.crew = Processes()
        self.log: list[tuple[str, str]] = []
        tree = Tree(load(yaml.safe_load(section), [*nodes, *others]), nodes)
        self.keeper = Keeper(processes or {node: (node,) for node in nodes}, tree, cast(Crew, self.crew), mode,
                             lambda level, text: self.log.append((level, text)), lambda: self.crew.now_s)
        self._orders = itertools.count(1)

    def until(self, condition: Callable[[], Any], limit_s: float = 60.0) -> None:
        """Turns until the condition holds; so many turns for so little time are running in circles."""
        end_s, turns = self.crew.now_s + limit_s, 0
        while not condition():
            assert self.crew.now_s < end_s and self.keeper.exit_code is None, (self.report(), self.log[-10:])
            self.keeper.turn()
            turns += 1
            assert turns < 1000 + 1000 * limit_s, 'the keeper runs in circles'

    def up(self) -> Robot:
        self.keeper.begin()
        self.until(self.well)
        return self

    def recover(self) -> None:
        """Until something is wrong, and then until nothing is."""
        self.until(lambda: not self.well())
        self.until(self.well)

    def well(self) -> bool:
        return bool(self.report()['level'] == 0)

    def pass_s(self, seconds: float) -> None:
        end_s = self.crew.now_s + seconds
        self.until(lambda: self.crew.now_s >= end_s, seconds + 1.0)

    def report(self) -> dict[str, Any]:
        return self.keeper.report()

    def state(self, node: str) -> str:
        return str(self.report()['states'][node])

    def life(self, node: str) -> Life:
        """The newest process with this node."""
        return next(life for life in reversed(self.crew.lives) if node in life.nodes)

    def die(self, node: str) -> None:
        self.life(node).end('was ended by SIGSEGV', -11)

    def starts(self, node: str) -> list[float]:
        """When processes with this node were started."""
        return [at_s for at_s, nodes, _ in self.crew.starts if node in nodes]

    def order(self, name: str) -> str:
        """What the supervisor is answered."""
        number, speaker = next(self._orders), self.life('supervisor')
        speaker.say(order=name, id=number)
        self.until(lambda: number in speaker.answers)
        return speaker.answers[number]

    def said(self, text: str, level: str = '') -> list[str]:
        return [line for at, line in self.log if text in line and level in ('', at)]


def robot(on_failure: str = 'degrade', **options: Any) -> Robot:
    """The robot of the section above."""
    return Robot(SECTION.replace('ON_FAILURE', on_failure), NODES, **options)


def fail_for_good(one: Robot, node: str) -> None:
    """The node ends, and can't be made active any more."""
    one.crew.refusals = {(node, 'active'): 'configure: no device'}
    one.die(node)
