"""Twenty agents in four processes tell each other a thousand events a second: nothing lost, in time, without growth."""

from __future__ import annotations

import time
from collections.abc import Mapping

from bus.crew import QUIET, crew_in
from bus.crowd_member import BUCKET_US, BUCKETS, DISORDER, EMITTED, GO, HANDLED, HOSTS, LATENCIES, READY, SIZE
from bus.tally import Tally
from robot import cpu_s, resident_mb
from row import Row

SECONDS = 600.0
WARM_S = 60.0
DRAIN_S = 10.0
REPORT_S = 30.0


def measure(environment: Mapping[str, str], seconds: float = SECONDS) -> list[Row]:
    """Loss, p99 and growth of memory after the first minute, or third of a shorter run."""
    with crew_in(environment) as crew:
        names = [f'host{number}' for number in range(HOSTS)]
        for number, name in enumerate(names):
            crew.start(name, 'crowd_member', number)
        tallies = [Tally(crew.folder / f'{name}.tally', SIZE) for name in names]

        def total(index: int) -> int:
            return sum(tally[index] for tally in tallies)

        def memory_mb() -> float:
            return sum(resident_mb(crew.pid(name)) for name in names)

        def processor_s() -> float:
            return sum(cpu_s(crew.pid(name)) for name in names)
        crew.wait_for(lambda: all(tally[READY] for tally in tallies), 'every host listens')
        crew.control[GO] = 1
        crew.wait_for(lambda: all(tally[HANDLED] for tally in tallies), 'everybody hears somebody')
        began, settled_mb, reported = time.monotonic(), 0.0, 0.0
        used_s, emitted = processor_s(), total(EMITTED)
        while (passed := time.monotonic() - began) < seconds:
            time.sleep(0.5)
            crew.check()
            if not settled_mb and passed >= min(WARM_S, seconds / 3):
                settled_mb = memory_mb()
            if passed - reported >= REPORT_S:
                reported = passed
                print(f'  crowd: {passed:.0f} of {seconds:.0f} s, {total(EMITTED)} events, {total(HANDLED)} handled, '
                      f'{memory_mb():.1f} MB', flush=True)
        grown_mb, rate_hz = memory_mb() - settled_mb, (total(EMITTED) - emitted) / seconds
        used_s = processor_s() - used_s
        crew.control[0] = QUIET
        deadline = time.monotonic() + DRAIN_S
        while total(HANDLED) != total(EMITTED) and time.monotonic() < deadline:
            time.sleep(0.1)
        lost, disorder = total(EMITTED) - total(HANDLED), total(DISORDER)
        latencies = [total(LATENCIES + bucket) for bucket in range(BUCKETS)]
        crew.end()
        if lost or disorder:
            print(crew.outputs(), flush=True)
    return [Row('bus.agents20_lost', abs(lost) + disorder, '', '<= 0'),
            Row('bus.agents20_p99_ms', share_ms(latencies, 0.99), 'ms', '<= 50'),
            Row('bus.agents20_growth_mb', grown_mb, 'MB', '<= 5'),
            Row('bus.agents20_p50_ms', share_ms(latencies, 0.5), 'ms'), Row('bus.agents20_hz', rate_hz, 'Hz'),
            Row('bus.agents20_cpu_pct', used_s / seconds * 100, '%')]


def share_ms(counts: list[int], share: float) -> float:
    """The latency that `share` of the events did not exceed, to a tenth of a millisecond."""
    wanted, seen = share * sum(counts), 0
    for bucket, count in enumerate(counts):
        seen += count
        if seen >= wanted:
            return (bucket + 1) * BUCKET_US / 1000
    return float('inf')
