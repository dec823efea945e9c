"""From the launch command to every node active."""

from __future__ import annotations

import statistics

from robot import resident_mb, running_robot
from row import Row

RUNS = 5
DOMAIN = 71


def measure() -> list[Row]:
    """Median of the start times and of the memory."""
    seconds, memory = [], []
    for run in range(RUNS):
        with running_robot(DOMAIN) as (_, pid, active_s):
            seconds.append(active_s)
            memory.append(resident_mb(pid))
        print(f'  run {run + 1}: active after {active_s:.2f} s, {memory[-1]:.0f} MB', flush=True)
    return [Row('startup.active_s', statistics.median(seconds), 's', '<= 5'),
            Row('startup.rss_mb', statistics.median(memory), 'MB')]
