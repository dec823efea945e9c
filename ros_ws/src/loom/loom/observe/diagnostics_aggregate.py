"""The tree that rqt_robot_monitor shows, built from the statuses that nodes publish about themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

OK, WARN, ERROR, STALE = 0, 1, 2, 3
WORDS = ('OK', 'Warning', 'Error', 'Stale')
NANOSECONDS = 1_000_000_000
MAX_NAME, MAX_MESSAGE, MAX_VALUES = 128, 512, 64
ROOT, OTHER = 'Loom', 'Other'
GROUPS: Mapping[str, tuple[str, ...]] = {
    'Senses': ('camera', 'microphone', 'speaker', 'salience', 'network_gateway', 'synthetic'),
    'Agents': ('agent_host', 'action_broker'),
    'Models': ('model_router',),
    'Motion': ('safety',),
    'Memory': ('memory_server',),
    'Simulation': ('simulator',),
    'System': ('supervisor', 'map_server', 'robot_state', 'diagnostics_aggregator'),
}
GROUP_OF = {node: group for group, nodes in GROUPS.items() for node in nodes}


@dataclass(frozen=True)
class Status:
    """What one part of a node says; level is 0 OK, 1 WARN, 2 ERROR or 3 STALE."""

    level: int
    name: str
    message: str = ''
    hardware_id: str = ''
    values: tuple[tuple[str, str], ...] = ()


@dataclass
class _Part:
    """The last status of one part, and when it came."""

    status: Status
    seen_ns: int


def split(name: str, namespace: str) -> tuple[str, str] | None:
    """Node and part of a status name '<namespace>/<node>: <part>'; None where it is of another namespace."""
    full, _, part = name.partition(': ')
    prefix = f'{namespace.strip("/")}/'.lstrip('/')
    node = full.strip().strip('/')
    if not node.startswith(prefix):
        return None
    node = node[len(prefix):]
    if not node or '/' in node:
        return None
    return node[:MAX_NAME], part.strip().replace('/', '_')[:MAX_NAME] or 'status'


def combined(levels: Iterable[int]) -> int:
    """Level of a group: the worst of its members; stale only where all are, else stale counts as an error."""
    found = list(levels)
    worst = max(found, default=OK)
    return ERROR if worst == STALE and min(found) < STALE else worst


class DiagnosticsAggregate:
    """Keeps the last status of every part of the nodes of one namespace, at most `max_entries` of them."""

    def __init__(self, namespace: str = '', stale_after_s: float = 3.0, max_entries: int = 500) -> None:
        self._namespace = namespace
        self._stale_ns = round(stale_after_s * NANOSECONDS)
        self._max_entries = max_entries
        self._nodes: dict[str, dict[str, _Part]] = {}
        self.dropped = 0

    def __len__(self) -> int:
        return sum(len(parts) for parts in self._nodes.values())

    def add(self, status: Status, now_ns: int) -> bool:
        """Takes a status in; False where it belongs to another namespace or there is no room for it."""
        owner = split(status.name, self._namespace)
        if owner is None:
            return False
        node, part = owner
        parts = self._nodes.get(node, {})
        if part not in parts and len(self) >= self._max_entries:
            self.dropped += 1
            return False
        self._nodes.setdefault(node, parts)[part] = _Part(status, now_ns)
        return True

    def tree(self, now_ns: int) -> list[Status]:
        """Every level of the tree, parents first: /Loom, /Loom/<Group>, /Loom/<Group>/<node>, and its parts."""
        groups: dict[str, list[str]] = {}
        for node in sorted(self._nodes):
            groups.setdefault(GROUP_OF.get(node, OTHER), []).append(node)
        below: list[Status] = []
        tops = []
        for group in sorted(groups):
            branch = self._branch(f'/{ROOT}/{group}', groups[group], now_ns)
            tops.append(branch[0])
            below += branch
        return [self._summary(f'/{ROOT}', tops), *below]

    def _branch(self, path: str, nodes: list[str], now_ns: int) -> list[Status]:
        branches = [self._twig(f'{path}/{node}', self._nodes[node], now_ns) for node in nodes]
        return [self._summary(path, [branch[0] for branch in branches]),
                *(status for branch in branches for status in branch)]

    def _twig(self, path: str, parts: dict[str, _Part], now_ns: int) -> list[Status]:
        newest = max(part.seen_ns for part in parts.values())
        silent = now_ns - newest > self._stale_ns
        if not silent:
            # The node speaks but no longer of this part: it has ended, and must not count as stale for ever.
            for name in [n for n, part in parts.items() if now_ns - part.seen_ns > self._stale_ns]:
                del parts[name]
        leaves = [self._leaf(f'{path}/{name}', part.status, silent) for name, part in sorted(parts.items())]
        return [self._summary(path, leaves), *leaves]

    def _leaf(self, path: str, status: Status, silent: bool) -> Status:
        level = STALE if silent else min(max(status.level, OK), STALE)
        message = f'nothing heard for more than {self._stale_ns / NANOSECONDS:g} s' if silent else status.message
        return Status(level, path, message[:MAX_MESSAGE], status.hardware_id, status.values[:MAX_VALUES])

    def _summary(self, path: str, members: list[Status]) -> Status:
        level = combined(member.level for member in members)
        values = tuple((member.name.rsplit('/', 1)[-1], WORDS[member.level]) for member in members[:MAX_VALUES])
        names = [name for name, word in values if word != WORDS[OK]]
        message = f'{WORDS[level]}: {", ".join(names)}'[:MAX_MESSAGE] if names else WORDS[level]
        return Status(level, path, message, 'loom', values)
