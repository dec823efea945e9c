"""A whole process with no ROS: agents on a DdsBus, from start to SIGTERM."""

from __future__ import annotations

import signal
import threading
from typing import Any

from loom.agents.agent import Agent
from loom.agents.host import AgentHost
from loom.agents.journal import journal_folder
from loom.core.clock import SystemClock
from loom.dds.bus import DdsBus


def run(*agents: Agent, namespace: str = '', journal: str = 'auto') -> None:
    """Runs agents on the robot of this namespace until SIGINT or SIGTERM.

    `journal` is the folder where they note what they begin and have done, so that nothing is done twice when this
    process is killed and started again: `auto` is $XDG_STATE_HOME/loom/journal, empty: they note nothing.
    """
    stop = threading.Event()

    def asked(*_: Any) -> None:
        stop.set()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, asked)
    bus = DdsBus(namespace)
    try:
        with AgentHost(bus, SystemClock(), *agents, journal=journal_folder(journal, namespace)):
            stop.wait()
    finally:
        bus.close()
