"""How a message travels: the delivery classes as plain values, to be used by name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Delivery:
    """What publisher and subscriber promise each other; times in seconds, 0 means no limit."""

    name: str
    publish_reliable: bool = True
    subscribe_reliable: bool = True
    latched: bool = False
    depth: int = 10
    deadline_s: float = 0.0
    lifespan_s: float = 0.0


# A DDS writer is matched some milliseconds after it is made. Events are kept for readers that match meanwhile,
# for as long as their lifespan: without that, the first of each type would be lost.
REALTIME = Delivery('REALTIME', latched=True, depth=50, lifespan_s=3.0)
BATCHED = Delivery('BATCHED', latched=True, depth=1000, lifespan_s=10.0)
BACKGROUND = Delivery('BACKGROUND', latched=True, depth=100, lifespan_s=10.0)
SENSOR = Delivery('SENSOR', subscribe_reliable=False, depth=5)
STATE = Delivery('STATE', latched=True, depth=1)
COMMAND = Delivery('COMMAND', depth=1, lifespan_s=0.5)
TRANSFORM = Delivery('TRANSFORM', depth=100)
STANDARD = Delivery('STANDARD')

CLASSES = {d.name: d for d in (REALTIME, BATCHED, BACKGROUND, SENSOR, STATE, COMMAND, TRANSFORM, STANDARD)}
