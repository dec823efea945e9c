"""What follows from a failure: who is started again and when, who stays down, and when the robot stops.

The breaker of a node opens when it fails more than `restarts` times within `window_s`. Its fallback takes its place
then; where there is none, or the fallback has failed too often as well, `on_failure` decides. `escalate` is a failure
of its group, which is started again as a whole until it has failed too often itself, and so on outwards.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from loom.supervise.tree import Group, Limit, Tree

# From the mildest to the harshest.
ENDS = ('', 'safe', 'shutdown')


@dataclass(frozen=True)
class Decision:
    """What is to be done about a failure."""

    restart: tuple[str, ...] = ()
    """Nodes to be started again, in start order: those that failed and those they take with them."""
    delay_s: float = 0.0
    """They wait so long."""
    give_up: tuple[str, ...] = ()
    """Nodes that stay down until they are forgotten."""
    start: tuple[str, ...] = ()
    """Fallbacks that take the place of nodes that were given up."""
    end: str = ''
    """What becomes of the robot: '' (it goes on), 'safe' or 'shutdown'."""
    because: str = ''
    """Rule, count and window, for people."""


@dataclass(frozen=True)
class Health:
    """How the policy sees the robot."""

    restarts: dict[str, int]
    """Failures of each node in its window; nodes without one are left out."""
    given_up: dict[str, str]
    """Why, of each node that stays down."""
    standing_in: dict[str, str]
    """Node that was given up -> the fallback in its place."""


@dataclass
class _Draft:
    """A decision in the making; `again` holds places in the tree, whoever is there now."""

    reason: str
    now_s: float
    again: set[str] = field(default_factory=set)
    give_up: set[str] = field(default_factory=set)
    start: list[str] = field(default_factory=list)
    delay_s: float = 0.0
    end: str = ''
    because: list[str] = field(default_factory=list)
    groups: dict[Group, bool] = field(default_factory=dict)

    def restart(self, places: Iterable[str], delay_s: float) -> None:
        self.again.update(places)
        self.delay_s = max(self.delay_s, delay_s)

    def why(self) -> str:
        return f'{self.because[-1]}: {self.reason}'


class Policy:
    """Counts failures and decides; `now_s` are seconds of a monotonic clock."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._failures: dict[str | Group, deque[float]] = {}
        self._given_up: dict[str, str] = {}

    def failed(self, nodes: Collection[str], reason: str, now_s: float) -> Decision:
        """Decides about nodes that failed together: all of a process that died, or one that could not configure.

        Each failure counts for the node that failed, not for those that are started again with it, and of a group
        at most once. Who was given up stays so.
        """
        draft = _Draft(reason, now_s)
        failed = sorted(set(nodes), key=self._rank)
        draft.give_up.update(node for node in failed if self._occupant(node) != node)
        draft.because += [f'{node} was given up before' for node in failed if node in draft.give_up]
        for node in failed:
            if node not in draft.give_up:
                self._fail(node, draft)
        self._clear_restarted(draft)
        return self._decision(draft)

    def forget(self, node: str) -> None:
        """An operator has seen to it: the node may be started again, and neither it nor its groups have failed."""
        place = self._tree.place(node)
        for name in (place, self._tree.settings.of(place).fallback):
            self._given_up.pop(name, None)
            self._failures.pop(name, None)
        for group in self._tree.path(place):
            self._failures.pop(group, None)

    def restarts(self, now_s: float) -> dict[str, int]:
        """Failures of each node in its window; nodes without one are left out."""
        counts = {node: sum(now_s - at_s <= self._tree.limit(node).window_s for at_s in times)
                  for node, times in self._failures.items() if isinstance(node, str)}
        return {node: count for node, count in counts.items() if count}

    def health(self, now_s: float) -> Health:
        """The failures in each window, who was given up, and who stands in."""
        places = {place: self._occupant(place) for place in self._tree.order()}
        standing_in = {place: name for place, name in places.items() if name not in ('', place)}
        return Health(self.restarts(now_s), dict(self._given_up), standing_in)

    def _occupant(self, node: str) -> str:
        """Who is to run in a node's place: the node, its fallback, or nobody ('')."""
        place = self._tree.place(node)
        fallback = self._tree.settings.of(place).fallback
        return next((name for name in (place, fallback) if name not in self._given_up), '')

    def _fail(self, node: str, draft: _Draft) -> None:
        place = self._tree.place(node)
        settings = self._tree.settings.of(place)
        if self._count(node, node, self._tree.limit(node), draft):
            draft.restart(self._tree.affected(node), self._tree.settings.wait_s(len(self._failures[node])))
        elif settings.fallback and node == place:
            self._given_up[node] = draft.why()
            draft.give_up.add(node)
            draft.start.append(settings.fallback)
            draft.restart(self._tree.affected(node), 0.0)
            draft.because.append(f'{settings.fallback} takes its place')
        elif settings.on_failure == 'escalate':
            self._escalate(node, draft)
        else:
            self._stop(settings.on_failure, (node,), draft)

    def _escalate(self, node: str, draft: _Draft) -> None:
        for group in self._tree.path(node):
            if group not in draft.groups:
                draft.groups[group] = self._count(group, group.name, group.limit, draft)
            if draft.groups[group]:
                draft.restart(group.nodes, self._tree.settings.backoff_max_s)
                return
            on_failure = group.settings.on_failure
            if on_failure != 'escalate':
                self._stop(on_failure, group.nodes if on_failure == 'degrade' else (node,), draft)
                return

    def _count(self, owner: str | Group, name: str, limit: Limit, draft: _Draft) -> bool:
        """Counts a failure; whether so many are allowed."""
        times = self._failures.setdefault(owner, deque(maxlen=limit.restarts + 1))
        times.append(draft.now_s)
        while draft.now_s - times[0] > limit.window_s:
            times.popleft()
        draft.because.append(f'failure {len(times)} of {name} within {limit.window_s:g} s, {limit.restarts} allowed')
        return len(times) <= limit.restarts

    def _stop(self, on_failure: str, nodes: Iterable[str], draft: _Draft) -> None:
        why = draft.why()
        for node in nodes:
            draft.give_up.update({self._occupant(node)} - {''})
            while occupant := self._occupant(node):
                self._given_up[occupant] = why
        if on_failure != 'degrade':
            draft.end = max(draft.end, on_failure, key=ENDS.index)

    def _clear_restarted(self, draft: _Draft) -> None:
        # Those of the groups stay: a group that failed too often hands on each failure until its window has passed.
        for node in (node for group, restarted in draft.groups.items() if restarted for node in group.nodes):
            for name in (node, self._tree.settings.of(node).fallback):
                self._failures.pop(name, None)

    def _decision(self, draft: _Draft) -> Decision:
        running = {place: self._occupant(place) for place in self._tree.order() if place in draft.again}
        restart = tuple(name for name in running.values() if name and name not in draft.start)
        return Decision(
            restart, draft.delay_s if restart else 0.0,
            tuple(sorted(draft.give_up.difference(draft.start), key=self._rank)),
            tuple(name for name in draft.start if name not in self._given_up), draft.end, '; '.join(draft.because))

    def _rank(self, node: str) -> tuple[int, str]:
        return self._tree.order().index(self._tree.place(node)), node
