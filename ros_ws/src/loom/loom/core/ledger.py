"""Ledger: where the time goes between a sensor and an actuator, for each chain of stages of the last minute."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from loom.core.clock import NANOSECONDS
from loom.core.event import Event, Hop

WINDOW_NS = 60 * NANOSECONDS
MAX_CHAINS = 32
MAX_SAMPLES = 1024
MAX_STAGES = 64


@dataclass(frozen=True)
class Summary:
    """One chain; milliseconds, per stage in the order of the chain; `late` were dropped before their last stage."""

    chain: str
    count: int
    late: int
    p50_ms: float
    p99_ms: float
    stages: tuple[str, ...]
    transport_p50_ms: tuple[float, ...]
    queue_p50_ms: tuple[float, ...]
    compute_p50_ms: tuple[float, ...]
    total_p99_ms: tuple[float, ...]
    sum_error_pct: float


@dataclass
class _Chain:
    count: int = 0
    late: int = 0
    # (end by the wall clock in ns, total in us, path)
    samples: deque[tuple[int, float, tuple[Hop, ...]]] = field(default_factory=lambda: deque(maxlen=MAX_SAMPLES))


class Ledger:
    """Takes the chains that end in this process; bounded: the chain that was quiet longest makes room for a new one."""

    def __init__(self) -> None:
        self._chains: OrderedDict[tuple[str, ...], _Chain] = OrderedDict()

    def ended(self, origin_ns: int, path: tuple[Hop, ...], end_ns: int) -> None:
        """A chain that began at `origin_ns` has reached its actuator; what can't be true is left out."""
        if 0 < origin_ns <= end_ns and 0 < len(path) <= MAX_STAGES:
            chain = self._chain(path)
            chain.count += 1
            while chain.samples and chain.samples[0][0] <= end_ns - WINDOW_NS:
                chain.samples.popleft()
            chain.samples.append((end_ns, (end_ns - origin_ns) / 1e3, path))

    def late(self, event: Event, stage: str) -> None:
        """The event was dropped by `stage`, because what it would have caused would have come too late."""
        if len(event.path) < MAX_STAGES:
            self._chain((*event.path, event.hop(stage))).late += 1

    def report(self, now_ns: int) -> list[Summary]:
        """Every chain that is known, with the times of those that ended in the minute before `now_ns`."""
        return [_summary(stages, chain, now_ns) for stages, chain in list(self._chains.items())]

    def _chain(self, path: tuple[Hop, ...]) -> _Chain:
        stages = tuple(hop.stage[:64] for hop in path)
        chain = self._chains.setdefault(stages, _Chain())
        self._chains.move_to_end(stages)
        if len(self._chains) > MAX_CHAINS:
            self._chains.popitem(last=False)
        return chain


def parts_us(path: tuple[Hop, ...]) -> int:
    """The sum of all parts of a chain, in microseconds."""
    return sum(hop.transport_us + hop.queue_us + hop.compute_us for hop in path)


def _summary(stages: tuple[str, ...], chain: _Chain, now_ns: int) -> Summary:
    recent = [(total, path) for end_ns, total, path in list(chain.samples) if end_ns > now_ns - WINDOW_NS]
    totals = [total for total, _ in recent]
    hops = [[path[number] for _, path in recent] for number in range(len(stages))]
    return Summary(
        ' > '.join(stages), chain.count, chain.late, _ms(totals, 0.5), _ms(totals, 0.99), stages,
        tuple(_ms([hop.transport_us for hop in column], 0.5) for column in hops),
        tuple(_ms([hop.queue_us for hop in column], 0.5) for column in hops),
        tuple(_ms([hop.compute_us for hop in column], 0.5) for column in hops),
        tuple(_ms([hop.transport_us + hop.queue_us + hop.compute_us for hop in column], 0.99) for column in hops),
        quantile([abs(parts_us(path) - total) / max(total, 1.0) * 100 for total, path in recent], 0.5))


def _ms(microseconds: list[float] | list[int], share: float) -> float:
    return quantile(microseconds, share) / 1e3


def quantile(values: list[float] | list[int], share: float) -> float:
    """The value that `share` of the values do not exceed; 0 where there are none."""
    return float(sorted(values)[min(int(len(values) * share), len(values) - 1)]) if values else 0.0
