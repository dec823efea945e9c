"""The roster under everything at any time: at rest in the end, and in order on the way."""

from __future__ import annotations

import sys
from collections import deque
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from loom.supervise.roster import ACTIVE, TARGETS, UNCONFIGURED, Roster

sys.path.append(str(Path(__file__).resolve().parent))
from small_tree import NODES, OTHERS, tree

PICK = st.integers(0, 5)


class Storm(RuleBasedStateMachine):
    """Everything at any time, with orders and answers that are late; the nodes obey."""

    def __init__(self) -> None:
        super().__init__()
        self.tree = tree()
        self.roster = Roster(self.tree, 'active')
        self.now_s = 0.0
        self.states: dict[str, str] = {}
        self.asked: dict[str, deque[str]] = {}
        self.told: dict[str, deque[tuple[str, str]]] = {}
        for node in NODES:
            self.born(node)

    def born(self, node: str) -> None:
        self.states[node] = UNCONFIGURED
        self.asked[node] = deque()
        self.told[node] = deque([('', UNCONFIGURED)])

    @rule(mode=st.sampled_from(sorted(TARGETS)))
    def change_mode(self, mode: str) -> None:
        self.roster.mode = mode

    @rule(node=st.sampled_from(NODES))
    def die(self, node: str) -> None:
        if self.states.pop(node, None):
            self.roster.lost([node], 'died')
            self.asked[node].clear()
            self.told[node].clear()

    @rule(node=st.sampled_from(NODES))
    def come_back(self, node: str) -> None:
        if node not in self.states:
            self.born(node)

    @rule(failed=st.sets(st.sampled_from(OTHERS), min_size=1), delay_s=st.sampled_from([0.0, 0.5]))
    def fail(self, failed: set[str], delay_s: float) -> None:
        self.roster.again([node for node in failed if node in self.states], self.now_s + delay_s)

    @rule(node=st.sampled_from(OTHERS))
    def give_up(self, node: str) -> None:
        self.roster.give_up([node])

    @rule()
    def forgive(self) -> None:
        self.roster.forgive()

    @rule(picks=st.lists(PICK, min_size=1, max_size=8))
    def obey(self, picks: list[int]) -> None:
        for pick in picks:
            if waiting := [node for node in NODES if self.asked[node]]:
                node = waiting[pick % len(waiting)]
                step = self.states[node] = self.asked[node].popleft()
                self.told[node].append((step, step))

    @rule(pick=PICK, too_often=st.booleans(), delay_s=st.sampled_from([0.0, 0.5]))
    def refuse(self, pick: int, too_often: bool, delay_s: float) -> None:
        if waiting := [node for node in OTHERS if self.asked[node]]:
            node = waiting[pick % len(waiting)]
            self.told[node].append((self.asked[node].popleft(), self.states[node]))
            self.hear(node, len(self.told[node]))
            if too_often:
                self.roster.give_up([node])
            else:
                self.roster.again([node], self.now_s + delay_s)

    def hear(self, node: str, count: int) -> None:
        for _ in range(count):
            step, state = self.told[node].popleft()
            self.roster.seen(node, state)
            if step:
                self.roster.answered(node, step)

    @rule(node=st.sampled_from(NODES))
    def repeat(self, node: str) -> None:
        if node in self.states:
            self.told[node].append(('', self.states[node]))

    @rule(picks=st.lists(PICK, max_size=8), by_s=st.sampled_from([0.0, 0.3]))
    def turn(self, picks: list[int], by_s: float) -> None:
        for pick in picks:
            if speakers := [node for node in NODES if self.told[node]]:
                self.hear(speakers[pick % len(speakers)], 1)
        self.look(by_s)

    def look(self, by_s: float) -> None:
        self.now_s += by_s
        entries = self.roster.entries
        for node, step in self.roster.steps(self.now_s).items():
            entry = entries[node]
            assert node in self.states, f'{node} is dead and was asked'
            if step == ACTIVE:
                missing = [n for n in self.tree.needs(node) if entries[n].state != ACTIVE and not entries[n].given_up]
                assert not missing, f'{node} was asked to be active without {missing}'
            elif entry.state == ACTIVE and not (entry.again or entry.given_up):
                left = [n for n in self.tree.dependants(node) if entries[n].state == ACTIVE]
                assert not left, f'{node} was asked to leave {left}'
            self.asked[node].append(step)
        assert self.roster.next_hold_s() > self.now_s, 'the keeper would run in circles'

    @invariant()
    def nobody_is_parked_by_what_was_asked(self) -> None:
        assert not [node for node, entry in self.roster.entries.items() if entry.parked]

    def teardown(self) -> None:
        for node in NODES:
            self.come_back(node)
        for _ in range(60):
            self.look(0.3)
            while any(self.asked.values()):
                self.obey([0])
            for node in NODES:
                self.hear(node, len(self.told[node]))
        assert self.roster.settled(), self.roster.entries
        assert self.states == {node: self.roster.target(node) for node in NODES}
        assert self.roster.steps(self.now_s) == {}


Storm.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None, derandomize=True)
test_whatever_happens_ends_at_rest_and_in_order = Storm.TestCase
