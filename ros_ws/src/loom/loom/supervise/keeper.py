"""Keeper: has every process of the robot run and every node in the state that the robot's mode asks for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loom.supervise.crew import Child, Crew, News
from loom.supervise.policy import Decision, Policy
from loom.supervise.report import REPORT_S, given_up, missing, report
from loom.supervise.roster import SUPERVISOR, TARGETS, Roster
from loom.supervise.tree import Tree
from loom.supervise.vitals import LOOK_S, Vitals

BAD_CONFIG, GIVEN_UP = 2, 3
# A keeper that did not run itself for so long has no right to call others silent.
ASLEEP_S = 0.3
# A new spare would take processor time from a process that is being started.
CALM_S = 0.5
NEVER = float('inf')
INFO, WARNING, ERROR = 'INFO', 'WARN', 'ERROR'


@dataclass(eq=False)
class Process:
    """One process of the plan: its nodes, the child that is it now, or when it is to be started again."""

    name: str
    nodes: tuple[str, ...]
    child: Child | None = None
    start_at_s: float = NEVER
    vitals: Vitals = field(default_factory=Vitals)
    failed_s: float = NEVER
    fault: str = ''
    faulty: tuple[str, ...] = ()
    was_up: bool = False


class Keeper:
    """Runs in one thread; `log(level, text)` is where it says what it does, `now_s` a monotonic clock."""

    def __init__(self, processes: Mapping[str, tuple[str, ...]], tree: Tree, crew: Crew, mode: str,
                 log: Callable[[str, str], None], now_s: Callable[[], float] = time.monotonic) -> None:
        self._settings = tree.settings
        self._roster = Roster(tree, mode)
        self._policy = Policy(tree)
        self._crew = crew
        self._log = log
        self._now_s = now_s
        self._processes = {name: Process(name, nodes) for name, nodes in processes.items()}
        self._warm = {node for node in tree.order() if tree.standby(node)}
        self._orders: list[tuple[Child, int]] = []
        self._order_ends_s = NEVER
        self._because = ''
        self._told: tuple[Any, ...] = ()
        self._calm_at_s = 0.0
        self._report_s = self._census_s = 0.0
        self._starting = True
        self._looked_s = 0.0
        self.exit_code: int | None = None

    def run(self, ending: Callable[[], bool]) -> int:
        """Keeps everything up until `ending()`; the exit code. All processes have ended when it returns."""
        self.begin()
        while not ending() and self.exit_code is None:
            self.turn()
        self.end()
        return self.exit_code or 0

    def begin(self) -> None:
        """Starts all processes."""
        for process in self._processes.values():
            self._start(process)
        self._looked_s = self._now_s()

    def turn(self) -> None:
        """Waits until something happens or is due, and does what follows from it."""
        idle_s = self._idle_s()
        news = self._crew.wait(idle_s)
        asleep_s = self._now_s() - self._looked_s - idle_s
        if asleep_s > ASLEEP_S:
            for process in self._processes.values():
                process.vitals.silent_at_s += asleep_s
        for item in news:
            self._take(item)
        self._looked_s = self._now_s()
        self._look(self._looked_s)

    # --- what happened ---------------------------------------------------------------------------

    def _take(self, news: News) -> None:
        process = next((p for p in self._processes.values() if p.child is news.child), None)
        if process is None:
            return
        if news.message is None:
            self._ended(process, news)
            return
        message = news.message
        self._expect(process, self._settings.start_s if 'busy' in message else self._settings.heartbeat_s)
        for node, state in message.get('states', {}).items():
            process.was_up = True
            self._roster.seen(node, state)
            self._welcome(process, self._now_s())
        for node, state in message.get('done', {}).items():
            self._roster.answered(node, state)
        for node, reason in message.get('failed', {}).items():
            self._roster.entries[node].reason = reason
            if self._starting and message.get('misconfigured'):
                self._refuse(f'{node}: {reason}')
            else:
                self._decide((node,), f'{node} failed: {reason}', None)
        for node, fault in message.get('faults', {}).items():
            if not self._roster.entries[node].given_up:
                self._replace(process, f'{node}: {fault}', (node,))
        if 'order' in message:
            self._obey(news.child, int(message['id']), str(message['order']))

    def _ended(self, process: Process, news: News) -> None:
        process.child = None
        process.vitals.nothing()
        reason, process.fault = process.fault or news.ended, ''
        # Who ended a process that died is not known, unless one of its nodes said so.
        culprits, process.faulty = process.faulty or process.nodes, ()
        process.failed_s = min(process.failed_s, self._now_s())
        self._roster.lost(process.nodes, reason)
        if news.exit_code == BAD_CONFIG and self._starting and not process.was_up:
            self._refuse(f'{process.name} has a wrong setting, see above')
            return
        self._decide(culprits, f'{process.name} {reason}', process)

    def _refuse(self, reason: str) -> None:
        # Trying again would not help: a person has to change something.
        self._log(ERROR, f'{reason}: the robot does not come up')
        self.exit_code = BAD_CONFIG

    def _decide(self, nodes: tuple[str, ...], reason: str, dead: Process | None) -> None:
        now_s = self._now_s()
        decision = self._policy.failed(nodes, reason, now_s)
        self._say(reason, decision)
        self._roster.give_up(decision.give_up)
        for node in decision.start:
            self._stand_in(node)
        if decision.end == 'shutdown':
            self.exit_code = GIVEN_UP
        elif decision.end:
            self._because, self._roster.mode = decision.because or reason, 'safe'
        restart = {*decision.restart, *(dead.nodes if dead else ())}
        at_s = now_s + decision.delay_s
        alive = [p for p in self._processes.values() if p.child is not None]
        # The supervisor goes down for no failure but its own: it tells of the others.
        again = restart - {SUPERVISOR}.difference(nodes)
        self._roster.again([n for p in alive for n in p.nodes if n in again], at_s)
        for process in self._processes.values():
            if process.child is None and restart & set(process.nodes):
                process.start_at_s = at_s if process.start_at_s == NEVER else max(process.start_at_s, at_s)

    def _say(self, reason: str, decision: Decision) -> None:
        if decision.end or decision.give_up:
            self._log(ERROR, f'{reason}; {decision.because}')
        else:
            later = f' in {decision.delay_s:.2f} s' if decision.delay_s else ''
            self._log(WARNING, f'{reason}: {", ".join(decision.restart)} will be started again{later}')

    # --- what is due -----------------------------------------------------------------------------

    def _idle_s(self) -> float:
        now_s = self._now_s()
        due_s = min(min(p.start_at_s, p.vitals.silent_at_s) for p in self._processes.values())
        return max(min(due_s, self._roster.next_hold_s(), self._census_s, self._order_ends_s) - now_s, 0.0)

    def _look(self, now_s: float) -> None:
        for process in list(self._processes.values()):
            if process.child is None and process.start_at_s <= now_s:
                self._start(process)
            elif process.child is not None and (why := process.vitals.silence(process.child.pid, now_s)):
                self._replace(process, why)
        self._ask(self._roster.steps(now_s))
        if self._starting and self._roster.settled():
            self._starting = False
            self._log(INFO, f'all {len(self._roster.entries)} nodes are {TARGETS[self._roster.mode]}'
                      if not given_up(self._roster) else f'up without {", ".join(given_up(self._roster))}')
        calm = not self._starting and self._warm and now_s >= self._calm_at_s
        self._crew.keep_spares(self._settings.spares if calm else 0, self._settings.heartbeat_s)
        if now_s >= self._census_s:
            self._census_s = now_s + LOOK_S
            self._inspect(now_s)
        self._answer(now_s)
        self._report(now_s)

    def _start(self, process: Process) -> None:
        process.start_at_s = NEVER
        # Those that were given up are there too, unconfigured: they may be forgiven while the others run.
        if not all(self._roster.entries[node].given_up for node in process.nodes):
            self._calm_at_s = self._now_s() + CALM_S
            process.child = self._crew.start(process.nodes, warm=bool(self._warm.intersection(process.nodes)))
            self._expect(process, self._settings.start_s)

    def _expect(self, process: Process, within_s: float) -> None:
        process.vitals.expect(self._now_s(), within_s)

    def _stand_in(self, node: str) -> None:
        self._roster.stand_in(node)
        process = self._processes.setdefault(node, Process(node, (node,)))
        process.start_at_s = self._now_s()

    def _replace(self, process: Process, fault: str, faulty: tuple[str, ...] = ()) -> None:
        if process.child is not None and not process.fault:
            process.fault, process.faulty = fault, faulty
            process.vitals.nothing()
            self._crew.kill(process.child)

    def _ask(self, steps: dict[str, str]) -> None:
        for process in self._processes.values():
            want = {node: steps[node] for node in process.nodes if node in steps}
            if process.child is not None and want:
                process.child.channel.send(want=want)

    def _inspect(self, now_s: float) -> None:
        for process in self._processes.values():
            if process.child is not None and (why := process.vitals.look(process.child.pid, now_s, self._settings)):
                self._replace(process, why)

    def _welcome(self, process: Process, now_s: float) -> None:
        if process.failed_s < NEVER and all(self._roster.entries[n].state == self._roster.target(n)
                                            for n in process.nodes):
            self._log(INFO, f'{process.name} is back {now_s - process.failed_s:.2f} s after it failed')
            process.failed_s = NEVER

    # --- orders and reports ----------------------------------------------------------------------

    def _obey(self, child: Child, number: int, order: str) -> None:
        if order in ('reset', 'active'):
            self._forgive()
        self._roster.mode = 'stopped' if order == 'reset' else order
        self._orders.append((child, number))
        self._order_ends_s = self._now_s() + self._settings.start_s

    def _forgive(self) -> None:
        """Who was given up may try again, and those that stood in for them end."""
        self._because = ''
        stand_ins = set(self._policy.health(self._now_s()).standing_in.values())
        for node in self._roster.forgive():
            self._policy.forget(node)
        self._roster.give_up(stand_ins)
        for process in self._processes.values():
            if stand_ins.issuperset(process.nodes):
                if process.child is not None:
                    self._crew.ask_to_end(process.child)
            elif process.child is None and process.start_at_s == NEVER:
                process.start_at_s = self._now_s()

    def _answer(self, now_s: float) -> None:
        if not self._orders or not (self._roster.settled() or now_s >= self._order_ends_s):
            return
        error = '; '.join(missing(self._roster, self._roster.entries))
        for child, number in self._orders:
            child.channel.send(answer=number, error=error)
        self._orders, self._order_ends_s = [], NEVER

    def _report(self, now_s: float) -> None:
        reader = next((p.child for p in self._processes.values() if SUPERVISOR in p.nodes), None)
        report = self.report()
        told = reader, self._roster.entries[SUPERVISOR].state, report
        if reader is not None and (told != self._told or now_s >= self._report_s):
            self._told, self._report_s = told, now_s + REPORT_S
            reader.channel.send(report=report)

    def report(self) -> dict[str, Any]:
        """What the supervisor is told."""
        starting = self._starting and self._roster.mode == 'active'
        return report(self._roster, 'starting' if starting else self._roster.mode, self._because,
                      self._policy.restarts(self._now_s()))

    # --- the end ---------------------------------------------------------------------------------

    def end(self) -> None:
        """Ends all processes: those that do not when asked, by force."""
        for child in self._crew.everybody():
            self._crew.ask_to_end(child)
        until_s = self._now_s() + self._settings.end_s
        while self._crew.everybody() and self._now_s() < until_s:
            self._crew.wait(until_s - self._now_s())
        for child in self._crew.everybody():
            self._crew.kill(child)
        while self._crew.everybody() and self._now_s() < until_s + self._settings.end_s:
            self._crew.wait(self._settings.end_s)
