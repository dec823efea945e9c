"""The lifecycle state of each node, and which one it is to take next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from loom.supervise.tree import Tree

UNKNOWN, UNCONFIGURED, INACTIVE, ACTIVE = 'unknown', 'unconfigured', 'inactive', 'active'
RANK = {UNKNOWN: 0, 'finalized': 0, UNCONFIGURED: 1, INACTIVE: 2, ACTIVE: 3}
# What the nodes are to do in each mode of the robot; in the safe state, some stay active.
TARGETS = {'active': ACTIVE, 'paused': INACTIVE, 'stopped': UNCONFIGURED, 'safe': INACTIVE}
# It reports on the others, whatever they do.
SUPERVISOR = 'supervisor'


@dataclass
class Entry:
    """One node; `parked`: somebody else took it down, and it stays there until the mode changes.

    `asked`: the steps that it was asked for and has not answered, oldest first.
    """

    state: str = UNKNOWN
    asked: list[str] = field(default_factory=list)
    hold_until_s: float = 0.0
    again: bool = False
    given_up: bool = False
    parked: bool = False
    reason: str = ''


class Roster:
    """Nodes go up after those they need, and down before them."""

    def __init__(self, tree: Tree, mode: str) -> None:
        self._tree = tree
        self._mode = mode
        self._stand_ins: dict[str, str] = {}
        self.entries = {node: Entry() for node in tree.order()}

    @property
    def mode(self) -> str:
        """active, paused, stopped or safe."""
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        """Nodes that somebody else took down obey again."""
        self._mode = mode
        for entry in self.entries.values():
            entry.parked = False

    def seen(self, node: str, state: str) -> None:
        """A node is in this state now."""
        entry = self.entries[node]
        before, entry.state = entry.state, state
        if RANK[state] < min(RANK[before], RANK[self.target(node)]) and not (entry.asked or entry.again):
            entry.parked = True
        if state == UNCONFIGURED:
            entry.again = False
        if state == ACTIVE and not entry.again:
            entry.reason, entry.hold_until_s = '', 0.0

    def answered(self, node: str, state: str) -> None:
        """A node is done with the step to this state, whether it succeeded or not; its state was seen before."""
        entry = self.entries[node]
        if state in entry.asked:
            del entry.asked[:entry.asked.index(state) + 1]

    def lost(self, nodes: Iterable[str], reason: str) -> None:
        """Their process has ended."""
        for node in nodes:
            entry = self.entries[node]
            entry.state, entry.asked, entry.again, entry.parked, entry.reason = UNKNOWN, [], False, False, reason

    def stand_in(self, node: str) -> None:
        """One more node, in the place of one that was given up."""
        self.entries[node] = Entry()
        self._stand_ins[self._tree.place(node)] = node

    def again(self, nodes: Iterable[str], at_s: float) -> None:
        """They go back to the beginning and come up anew, not before `at_s`."""
        for node in nodes:
            entry = self.entries[node]
            entry.again, entry.hold_until_s = entry.state != UNCONFIGURED, at_s

    def give_up(self, nodes: Iterable[str]) -> None:
        """They stay down."""
        for node in nodes:
            self.entries[node].given_up, self.entries[node].parked = True, False

    def forgive(self) -> list[str]:
        """Those that were given up may try again."""
        given_up = [node for node, entry in self.entries.items() if entry.given_up]
        for node in given_up:
            self.entries[node].given_up, self.entries[node].hold_until_s = False, 0.0
        return given_up

    def target(self, node: str) -> str:
        """Where a node is to be in the end."""
        entry = self.entries[node]
        if entry.given_up:
            return UNCONFIGURED
        if node == SUPERVISOR or (self._mode == 'safe' and node in self._tree.settings.safe_state):
            return ACTIVE
        return TARGETS[self._mode]

    def steps(self, now_s: float) -> dict[str, str]:
        """node -> the state it is to take now, for each that is not on its way there."""
        found = {}
        for node, entry in self.entries.items():
            if entry.hold_until_s <= now_s:
                entry.hold_until_s = 0.0
            step = self._step(node, entry)
            if step and entry.asked[-1:] != [step]:
                entry.asked.append(step)
                found[node] = step
        return found

    def settled(self) -> bool:
        """Whether all that are not parked have come where they are to be."""
        return all(entry.parked or entry.state == self.target(node) or (entry.given_up and entry.state == UNKNOWN)
                   for node, entry in self.entries.items())

    def next_hold_s(self) -> float:
        """When the first node that waits may go on; infinite where none waits."""
        return min((e.hold_until_s for e in self.entries.values() if e.hold_until_s), default=float('inf'))

    def _step(self, node: str, entry: Entry) -> str:
        if entry.state not in (UNCONFIGURED, INACTIVE, ACTIVE) or entry.parked:
            return ''
        if entry.again:
            return UNCONFIGURED
        target = self.target(node)
        if RANK[target] < RANK[entry.state]:
            return '' if any(self._is_above(other, target) for other in self._tree.dependants(node)) else target
        if target == entry.state or entry.hold_until_s:
            return ''
        ready = all(map(self._there, self._tree.needs(node)))
        step = target if ready else min(target, INACTIVE, key=lambda s: RANK[s])
        return step if RANK[step] > RANK[entry.state] else ''

    def _there(self, node: str) -> bool:
        entry = self.entries[node]
        if not entry.given_up:
            return entry.state == ACTIVE
        return node not in self._stand_ins or self._there(self._stand_ins[node])

    def _is_above(self, node: str, state: str) -> bool:
        """Whether a node is on its way down and not yet as far down as that."""
        return RANK[self.entries[node].state] > max(RANK[state], RANK[self.target(node)])
