"""The supervision tree: who needs whom, who is started again with whom, and how many failures are too many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from loom.core.errors import ConfigError, nearest
from loom.supervise.settings import GroupSettings, Supervision, groups_of, in_order

ROOT = 'root'


@dataclass(frozen=True)
class Limit:
    """More than so many failures within a time are too many."""

    restarts: int
    window_s: float


@dataclass(frozen=True, eq=False)
class Group:
    """A group as it is on this robot; `nodes` are those of the groups inside it, too, in start order."""

    name: str
    settings: GroupSettings
    nodes: tuple[str, ...]

    @property
    def limit(self) -> Limit:
        """How often it may be started again."""
        return Limit(self.settings.restarts, self.settings.window_s)


class Tree:
    """The tree of one robot. Where a node is asked for, one that stands in for it has the same place."""

    def __init__(self, settings: Supervision, nodes_present: Iterable[str]) -> None:
        present = dict.fromkeys(nodes_present)
        self.settings = settings
        self._needs = {node: tuple(n for n in settings.of(node).needs if n in present) for node in present}
        self._order = in_order(present, self._needs)
        self._places = {node: node for node in self._order}
        self._paths: dict[str, tuple[Group, ...]] = {}
        self._grow(Group(ROOT, settings.tree, self._order), ())
        for node in self._order:
            if fallback := settings.of(node).fallback:
                if fallback in present:
                    raise ConfigError(f'supervision: nodes.{node}.fallback: must not be a node of this robot, '
                                      f'got {fallback!r}')
                self._places[fallback] = node
        for node in self._places:
            self._check_reachable(node)

    def order(self) -> tuple[str, ...]:
        """The nodes in start order: as given, except that each comes after those it needs."""
        return self._order

    def place(self, node: str) -> str:
        """The node itself, or the one it stands in for."""
        if node not in self._places:
            raise ConfigError(f'no node named {node!r} on this robot{nearest(node, list(self._places))}')
        return self._places[node]

    def needs(self, node: str) -> tuple[str, ...]:
        """The nodes of this robot that a node itself names."""
        return self._needs[self.place(node)]

    def dependants(self, node: str) -> tuple[str, ...]:
        """All that need a node, and those that need them, in start order."""
        found = {self.place(node)}
        for other in self._order:
            if found.intersection(self._needs[other]):
                found.add(other)
        return tuple(n for n in self._order if n in found and n != self.place(node))

    def path(self, node: str) -> tuple[Group, ...]:
        """The groups of a node, from the innermost to the root."""
        return self._paths[self.place(node)]

    def affected(self, node: str) -> tuple[str, ...]:
        """The nodes that are started again when one failed, in start order, itself included.

        The strategy is that of its innermost group, and nobody outside that group is affected. one_for_one: itself;
        rest_for_one: itself and those that need it, also over others; one_for_all: the group.
        """
        group = self.path(node)[0]
        if group.settings.strategy == 'one_for_all':
            return group.nodes
        rest = self.dependants(node) if group.settings.strategy == 'rest_for_one' else ()
        return tuple(n for n in group.nodes if n == self.place(node) or n in rest)

    def limit(self, node: str) -> Limit:
        """How many failures of a node are too many."""
        own = self.settings.of(node)
        restarts = self.settings.restarts if own.restarts is None else own.restarts
        return Limit(restarts, own.window_s or self.settings.window_s)

    def standby(self, node: str) -> bool:
        """Whether a spare process takes its place."""
        return self.settings.of(node).standby == 'warm'

    def _grow(self, group: Group, around: tuple[Group, ...]) -> None:
        path = (group, *around)
        self._paths.update((node, path) for node in group.nodes)
        for name, inner in group.settings.groups.items():
            members = {node for _, part in groups_of(inner) for node in part.nodes}
            nodes = tuple(node for node in self._order if node in members)
            self._grow(Group(f'{group.name}.{name}', inner, nodes), path)

    def _check_reachable(self, node: str) -> None:
        # Waits are so long that a wide limit in a short window is never passed: a node that fails at once, each
        # time, would be started for ever.
        limit = self.limit(node)
        waits_s = sum(self.settings.wait_s(n + 1) for n in range(limit.restarts))
        rows = [(node, limit, waits_s)]
        rows += [(group.name, group.limit, group.limit.restarts * (waits_s + self.settings.backoff_max_s))
                 for group in self.path(node)]
        for name, limit, least_s in rows:
            if least_s > limit.window_s:
                raise ConfigError(f'supervision: {name}: {limit.restarts} restarts must fit into window_s, got '
                                  f'{limit.window_s:g}; with the waits of {node!r} they take {least_s:g} s')
