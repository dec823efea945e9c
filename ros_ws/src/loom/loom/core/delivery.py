"""How a message travels: the delivery classes as plain values, to be used by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from loom.core.patterns import matches

Policy = Literal['drop_oldest', 'keep_latest', 'sample', 'coalesce', 'credit']
LANES = 4
# So many events of a topic may stay in DDS without growing old there.
MAX_UNAGED = 100


@dataclass(frozen=True)
class Delivery:
    """What publisher and subscriber promise each other; times in seconds, 0 means no limit.

    `policy` says what a full queue does: the oldest goes; only the newest of each type and source waits; every fourth
    is taken once half full; events of one type and source become one with a count; or writers wait for credit.
    Of several lanes the one with the smallest number is served first.
    """

    name: str
    publish_reliable: bool = True
    subscribe_reliable: bool = True
    latched: bool = False
    depth: int = 10
    deadline_s: float = 0.0
    lifespan_s: float = 0.0
    lease_s: float = 0.0
    policy: Policy = 'drop_oldest'
    lane: int = 1

    @property
    def expires_at_reader(self) -> bool:
        """Whether readers of events look at the age themselves: a lifespan in DDS costs 25 us an event."""
        return self.latched and self.lane == 0 and self.depth <= MAX_UNAGED


# A DDS writer is matched some milliseconds after it is made. Events are kept for readers that match meanwhile,
# for as long as their lifespan: without that, the first of each type would be lost.
REALTIME = Delivery('REALTIME', latched=True, depth=50, lifespan_s=3.0, lane=0)
BATCHED = Delivery('BATCHED', latched=True, depth=1000, lifespan_s=10.0, policy='credit', lane=2)
BACKGROUND = Delivery('BACKGROUND', latched=True, depth=100, lifespan_s=10.0, policy='credit', lane=3)
SENSOR = Delivery('SENSOR', subscribe_reliable=False, depth=5)
STATE = Delivery('STATE', latched=True, depth=1, policy='keep_latest')
COMMAND = Delivery('COMMAND', depth=1, lifespan_s=0.5, lane=0)
TRANSFORM = Delivery('TRANSFORM', depth=100)
STANDARD = Delivery('STANDARD')

CLASSES = {d.name: d for d in (REALTIME, BATCHED, BACKGROUND, SENSOR, STATE, COMMAND, TRANSFORM, STANDARD)}


@dataclass(frozen=True)
class Deliveries:
    """The classes as configured, and the event types that travel otherwise than their publisher says."""

    classes: Mapping[str, Delivery] = field(default_factory=lambda: dict(CLASSES))
    topics: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def of(self, event_type: str, wanted: Delivery) -> Delivery:
        """The delivery of one event type: the most specific pattern that names it wins over the class."""
        base = self.classes.get(wanted.name, wanted) if wanted == CLASSES.get(wanted.name) else wanted
        fitting = [pattern for pattern in self.topics if matches(pattern, event_type)]
        if not fitting:
            return base
        changes = dict(self.topics[max(fitting, key=lambda pattern: (pattern.count('*') == 0, len(pattern)))])
        chosen = changes.pop('class', None)
        return replace(self.classes[str(chosen)] if chosen else base, **changes)  # type: ignore[arg-type]

