"""Does for processes that a test kills what the keeper does for those of a robot: others hear at once of their end."""

from __future__ import annotations

import os
import struct
import sys
import time
from typing import Any

from process_tree import runs

from loom.supervise.obituary import PREFIX_BYTES, say_gone

DIES_S = 2.0


def bury_the_dead(killed: int = 0) -> None:
    """Says of each participant of this machine whose process has ended that it is gone, where this process knows of it.

    Waits for the end of the process `killed`, where one is given.
    """
    deadline_s = time.monotonic() + DIES_S
    while killed and runs(killed) and time.monotonic() < deadline_s:
        time.sleep(0.001)
    module = sys.modules.get('loom.ros.participant')
    held: list[Any] = module._held if module else []
    for one in held:
        for prefix in _dead(one):
            say_gone(prefix, one.domain)


def _dead(one: Any) -> set[bytes]:
    # Fast DDS: two bytes of the vendor, two of the machine, two of the process id, and what tells one id from the next.
    known = {bytes(info.endpoint_gid)[:PREFIX_BYTES]
             for info in one.node.get_publishers_info_by_topic('parameter_events')}
    # Looked at later: whoever was known by then is among them if it lives.
    alive = {int(name) & 0xffff for name in os.listdir('/proc') if name.isdigit() and runs(int(name))}
    return {prefix for prefix in known
            if prefix[:4] == one.prefix[:4] and struct.unpack('<H', prefix[4:6])[0] not in alive}
