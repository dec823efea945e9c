"""One robot of a name in a domain: its keeper and all processes forked from it hold the name together."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import struct
import time
from contextlib import suppress
from pathlib import Path

from loom.core.errors import ConfigError
from loom.supervise.crew import stopped

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
    deadline_s, holder = time.monotonic() + wait_s, 0
    while True:
        try:
            lock.bind(place)
            # Who asks is told the number of this process by the kernel.
            lock.listen(64)
            return lock
        except OSError:
            # Asked once: whoever asks stays in the queue of the one that has it.
            holder = holder or _holder(place)
            if time.monotonic() > deadline_s:
                lock.close()
                raise ConfigError(f'a robot of namespace {name!r} is up in domain {domain} already, process '
                                  f'{holder}; end it, or give this one another namespace') from None
        if holder and not Path(f'/proc/{holder}').exists():
            _wake_the_orphans(place)
        time.sleep(POLL_S)


def _wake_the_orphans(place: str) -> None:
    """A process that was stopped when its keeper was killed was told to end, and does when it goes on."""
    rows = (line.split() for line in Path('/proc/net/unix').read_text().splitlines())
    sockets = {f'socket:[{row[6]}]' for row in rows if row[7:] == [place.replace('\0', '@')]}
    for process in Path('/proc').glob('[0-9]*'):
        with suppress(OSError):
            if stopped(int(process.name)) and sockets & {os.readlink(file) for file in (process / 'fd').iterdir()}:
                os.kill(int(process.name), signal.SIGCONT)


def _holder(place: str) -> int:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as guest:
        guest.setblocking(False)
        if guest.connect_ex(place):
            return 0
        return int(struct.unpack('3i', guest.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0])
