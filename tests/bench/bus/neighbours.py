"""Whether a subscriber that stands still or is slow, and a flood of background events, harm their neighbours."""

from __future__ import annotations

import json
import signal
import statistics
import time
from collections.abc import Callable, Mapping
from itertools import pairwise

from bus.crew import Crew, crew_in
from bus.neighbour_member import FLOOD, PHASE, WORK_US
from bus.tally import Tally
from row import Row

from loom.core.ledger import quantile

ROUNDS, PHASE_S, CHANGE_S = 10, 2.0, 0.4
SLOW_US, BULK_US = 20_000, 300
NEIGHBOURS = ('left', 'right')
Phases = dict[int, list[float]]


def measure(environment: Mapping[str, str], rounds: int = ROUNDS) -> list[Row]:
    """Both experiments."""
    return [*stalled(environment, rounds), *flooded(environment, rounds)]


def stalled(environment: Mapping[str, str], rounds: int = ROUNDS) -> list[Row]:
    """A victim is stopped, or slow, in every other phase."""
    with crew_in(environment) as crew:
        start(crew, source='source', left='listen', right='listen', victim='victim')

        def stop(on: bool) -> None:
            crew.signal('victim', signal.SIGSTOP if on else signal.SIGCONT)

        def slow(on: bool) -> None:
            crew.control[WORK_US] = SLOW_US if on else 0
        alternate(crew, stop, rounds)
        alternate(crew, slow, rounds, first=2 * rounds + 1)
        phases = ended(crew, NEIGHBOURS)
    stopped_pct = median_change_pct(phases, 1, rounds)
    slow_pct = median_change_pct(phases, 2 * rounds + 1, rounds)
    return [Row('bus.stalled_neighbour_pct', max(stopped_pct, slow_pct), '%', '<= 5'),
            Row('bus.stopped_neighbour_pct', stopped_pct, '%'), Row('bus.slow_neighbour_pct', slow_pct, '%')]


def flooded(environment: Mapping[str, str], rounds: int = ROUNDS) -> list[Row]:
    """A subscriber of urgent events also gets more background events than it can handle, in every other phase."""
    with crew_in(environment) as crew:
        start(crew, source='source', listener='mixed', flood1='flood', flood2='flood')
        crew.control[WORK_US] = BULK_US

        def flood(on: bool) -> None:
            crew.control[FLOOD] = on
        counts, before = Tally(crew.folder / 'listener.tally', 2), time.monotonic()
        alternate(crew, flood, rounds)
        handled_hz = counts[1] / (time.monotonic() - before) * 2
        phases = ended(crew, ('listener',))
    idle, loaded = ([value for number, values in phases.items() if number % 2 == odd for value in values]
                    for odd in (1, 0))
    return [Row('bus.realtime_p99_ratio', quantile(loaded, 0.99) / quantile(idle, 0.99), '', '<= 3'),
            Row('bus.realtime_idle_p99_us', quantile(idle, 0.99), 'us'),
            Row('bus.realtime_loaded_p99_us', quantile(loaded, 0.99), 'us'),
            Row('bus.realtime_idle_p50_us', quantile(idle, 0.5), 'us'),
            Row('bus.realtime_loaded_p50_us', quantile(loaded, 0.5), 'us'),
            Row('bus.background_handled_hz', handled_hz, 'Hz')]


def start(crew: Crew, **roles: str) -> None:
    """Starts all and waits until the listeners hear."""
    for name, role in roles.items():
        crew.start(name, 'neighbour_member', role, name)
    for name in (name for name, role in roles.items() if role in ('listen', 'mixed', 'victim')):
        tally = Tally(crew.folder / f'{name}.tally', 2)
        crew.wait_for(lambda tally=tally: tally[0] > 100, f'{name} hears the source')


def alternate(crew: Crew, disturb: Callable[[bool], None], rounds: int, first: int = 1) -> None:
    """Odd phases are quiet, even ones disturbed; after each change it takes a moment until it counts."""
    for number in range(first, first + 2 * rounds):
        disturb(number % 2 == 0)
        time.sleep(CHANGE_S)
        crew.control[PHASE] = number
        time.sleep(PHASE_S)
        crew.control[PHASE] = 0
        if number % 20 == 0:
            print(f'  neighbours: phase {number}', flush=True)
    disturb(False)


def ended(crew: Crew, names: tuple[str, ...]) -> Phases:
    """The latencies that they noted, by phase."""
    crew.end()
    phases: Phases = {}
    for name in names:
        for number, values in json.loads((crew.folder / f'{name}.json').read_text())['latencies_us'].items():
            phases.setdefault(int(number), []).extend(values)
    return phases


def median_change_pct(phases: Phases, first: int, rounds: int) -> float:
    """By how much the median is higher in a disturbed phase than in the quiet ones beside it, median of the rounds."""
    medians = [statistics.median(phases[number]) for number in range(first, first + 2 * rounds)]
    ratios = [after / before if index % 2 == 0 else before / after
              for index, (before, after) in enumerate(pairwise(medians))]
    return (statistics.median(ratios) - 1) * 100
