"""The bus under load: a storm, bad neighbours, a crowd of agents, a slow consumer."""

from __future__ import annotations

from bus import crowd, neighbours, pressure, storm
from bus.peer import DOMAIN, loom_environment
from row import Row


def measure() -> list[Row]:
    """One after the other, with the environment of the launch files, in the benchmarks' domain."""
    environment = {**loom_environment(), 'ROS_DOMAIN_ID': str(DOMAIN), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
    return [row for part in (storm, neighbours, pressure, crowd) for row in part.measure(environment)]
