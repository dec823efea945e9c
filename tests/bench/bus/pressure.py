"""A consumer that becomes ten times slower than its source, and quick again."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping

from bus.crew import QUIET, crew_in
from bus.pressure_member import ACCEPTED, DISORDER, FULL_HZ, HANDLED, SIZE, WORK_US
from bus.tally import Tally
from robot import resident_mb
from row import Row

SECONDS = 60.0
WARM_S = 3.0
SLOWER = 10
# Full rate: so much of it, over so long.
FULL, WINDOW_S, POLL_S = 0.9, 0.2, 0.005
RECOVER_S, DRAIN_S = 20.0, 30.0


def measure(environment: Mapping[str, str], seconds: float = SECONDS) -> list[Row]:
    """Loss, the source's memory, its rate meanwhile, and how long until it is back at full rate."""
    with crew_in(environment) as crew:
        for name in ('consumer', 'source'):
            crew.start(name, 'pressure_member', name)
        source, consumer = (Tally(crew.folder / f'{name}.tally', SIZE) for name in ('source', 'consumer'))
        crew.wait_for(lambda: consumer[HANDLED] > FULL_HZ, 'the consumer hears the source')
        time.sleep(WARM_S)
        memory_mb = resident_mb(crew.pid('source'))
        crew.control[WORK_US] = round(SLOWER / FULL_HZ * 1e6)
        time.sleep(seconds / 2)
        before = source[ACCEPTED]
        time.sleep(seconds / 2)
        slow_hz = (source[ACCEPTED] - before) / (seconds / 2)
        grown_mb = resident_mb(crew.pid('source')) - memory_mb
        crew.control[WORK_US] = 0
        recovery_s = until_full_rate(source)
        crew.control[0] = QUIET
        deadline = time.monotonic() + DRAIN_S
        while consumer[HANDLED] < source[ACCEPTED] and time.monotonic() < deadline:
            time.sleep(POLL_S)
        lost = abs(source[ACCEPTED] - consumer[HANDLED]) + consumer[DISORDER]
        crew.end()
    return [Row('bus.credit_lost', lost, '', '<= 0'), Row('bus.credit_growth_mb', grown_mb, 'MB', '<= 20'),
            Row('bus.credit_recovery_s', recovery_s, 's', '<= 1'), Row('bus.credit_slow_hz', slow_hz, 'Hz')]


def until_full_rate(source: Tally) -> float:
    """Seconds from now until the source's rate has been full for a whole window."""
    began, marks = time.monotonic(), deque([(time.monotonic(), source[ACCEPTED])])
    while (now := time.monotonic()) - began < RECOVER_S:
        while now - marks[0][0] > WINDOW_S:
            marks.popleft()
        marks.append((now, source[ACCEPTED]))
        since, count = marks[0]
        if now - since > 0.9 * WINDOW_S and marks[-1][1] - count >= FULL * FULL_HZ * (now - since):
            return now - began
        time.sleep(POLL_S)
    return RECOVER_S
