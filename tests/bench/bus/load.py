"""The bus under load: a storm, bad neighbours, a slow consumer, a crowd of agents."""

from __future__ import annotations

from bus import crowd, neighbours, pressure, storm
from bus.peer import DOMAIN, loom_environment
from row import Row


def measure() -> list[Row]:
    """One after the other."""
    return [row for part in (storm, neighbours, pressure, crowd) for row in part.measure(environment())]


def environment() -> dict[str, str]:
    """That of the launch files, in the benchmarks' domain."""
    return {**loom_environment(), 'ROS_DOMAIN_ID': str(DOMAIN), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
