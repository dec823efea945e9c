"""A whole process with no ROS: agents on a DdsBus, from start to SIGTERM."""

from __future__ import annotations

import signal
import threading
from typing import Any

from loom.agents.agent import Agent
from loom.agents.host import AgentHost
from loom.core.clock import SystemClock
from loom.dds.bus import DdsBus


def run(*agents: Agent, namespace: str = '') -> None:
    """Runs agents on the robot of this namespace until SIGINT or SIGTERM."""
    stop = threading.Event()

    def asked(*_: Any) -> None:
        stop.set()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, asked)
    bus = DdsBus(namespace)
    try:
        with AgentHost(bus, SystemClock(), *agents):
            stop.wait()
    finally:
        bus.close()
