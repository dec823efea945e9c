"""Who is there and what each can do, as plain values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from loom.act.capability import Capability
from loom.core.errors import BusyError, ConfigError, nearest
from loom.core.patterns import check_type, matches

ACTIVE, INACTIVE, GONE = STATES = ('active', 'inactive', 'gone')
MAX_HOSTS = 64
MAX_PAST = 8


@dataclass(frozen=True)
class AgentCard:
    """One agent: what it listens to and what it can do; `state` is active, inactive, or gone with its host."""

    id: str
    state: str = ACTIVE
    listens: tuple[str, ...] = ()
    capabilities: tuple[Capability, ...] = ()
    host: str = ''
    incarnation: str = ''


@dataclass(frozen=True)
class HostEntry:
    """What a host told last; `past` are incarnations that this one followed, the youngest first."""

    name: str
    incarnation: str
    order: int
    told: tuple[AgentCard, ...]
    up: bool = True
    past: tuple[str, ...] = ()

    @property
    def cards(self) -> tuple[AgentCard, ...]:
        """Its agents, gone where the host is."""
        return tuple(replace(card, host=self.name, incarnation=self.incarnation,
                             state=card.state if self.up else GONE) for card in self.told)


@dataclass(frozen=True)
class Directory:
    """All agents of all hosts; a value: what changes it gives another one."""

    hosts: Mapping[str, HostEntry] = field(default_factory=dict)

    def update(self, host: str, incarnation: str, cards: Iterable[AgentCard], order: int = 0) -> Directory:
        """With what a host tells of its agents; what an incarnation tells that another followed changes nothing.

        Of two incarnations the one with the greater `order` is newer. BusyError where all places are taken.
        """
        known = self.hosts.get(host)
        past = known.past if known else ()
        if known and known.incarnation != incarnation:
            if incarnation in past or (known.up and order < known.order):
                return self
            past = (known.incarnation, *past)[:MAX_PAST]
        entry = HostEntry(host, incarnation, order, tuple(cards), past=past)
        return Directory({**(self.hosts if known else self._with_room()), host: entry})

    def gone(self, host: str) -> Directory:
        """Without a host; its agents stay known as gone until it is back."""
        known = self.hosts.get(host)
        return Directory({**self.hosts, host: replace(known, up=False)}) if known and known.up else self

    def missing(self, present: Collection[str]) -> tuple[str, ...]:
        """The hosts taken to be up that are not among those present."""
        return tuple(name for name, host in self.hosts.items() if host.up and name not in present)

    def cards(self) -> tuple[AgentCard, ...]:
        """Every agent, host by host."""
        return tuple(card for host in self.hosts.values() for card in host.cards)

    def find(self, capability: str = '', topic: str = '', state: str = ACTIVE) -> tuple[AgentCard, ...]:
        """The agents that have the capability, listen to the event type `topic` and are in the state; '' is any."""
        if state and state not in STATES:
            raise ConfigError(f'no state named {state!r}{nearest(state, list(STATES))}')
        if topic:
            check_type(topic)
        return tuple(card for card in self.cards()
                     if (not state or card.state == state)
                     and (not capability or any(c.name == capability for c in card.capabilities))
                     and (not topic or any(matches(pattern, topic) for pattern in card.listens)))

    def _with_room(self) -> Mapping[str, HostEntry]:
        if len(self.hosts) < MAX_HOSTS:
            return self.hosts
        down = [host for host in self.hosts.values() if not host.up]
        if not down:
            raise BusyError(f'at most {MAX_HOSTS} hosts of agents can be up; put more agents into fewer hosts')
        oldest = min(down, key=lambda host: host.order)
        return {name: host for name, host in self.hosts.items() if host is not oldest}


def capabilities(cards: Iterable[AgentCard]) -> dict[str, Capability]:
    """All capabilities of the active agents by name; the first agent to offer a name has it."""
    found: dict[str, Capability] = {}
    for card in cards:
        for capability in card.capabilities if card.state == ACTIVE else ():
            found.setdefault(capability.name, capability)
    return found
