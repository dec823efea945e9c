"""One robot of a name in a domain: its keeper and all processes forked from it hold the name together."""

from __future__ import annotations

import hashlib
import os
import socket
import struct
import time

from loom.core.errors import ConfigError

# The processes of a keeper that was killed end within 2 s.
WAIT_S = 4.0
POLL_S = 0.05


def hold(namespace: str, wait_s: float = WAIT_S) -> socket.socket:
    """Takes the name until the socket is closed here and in every fork; ConfigError where it is not free in time.

    An abstract socket leaves no file behind, and is known as far as DDS reaches on this machine.
    """
    domain = os.environ.get('ROS_DOMAIN_ID', '0')
    name = namespace.strip('/')
    place = '\0loom-robot-' + hashlib.blake2s(f'{domain}/{name}'.encode(), digest_size=8).hexdigest()
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    deadline_s = time.monotonic() + wait_s
    while True:
        try:
            lock.bind(place)
            # Who asks is told the number of this process by the kernel.
            lock.listen(64)
            return lock
        except OSError:
            if time.monotonic() > deadline_s:
                lock.close()
                raise ConfigError(f'a robot of namespace {name!r} is up in domain {domain} already, process '
                                  f'{_holder(place)}; end it, or give this one another namespace') from None
        time.sleep(POLL_S)


def _holder(place: str) -> int:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as guest:
        guest.setblocking(False)
        if guest.connect_ex(place):
            return 0
        return int(struct.unpack('3i', guest.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0])
