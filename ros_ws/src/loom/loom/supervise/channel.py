"""Messages between the keeper and one process: JSON over a socket pair that keeps their borders."""

from __future__ import annotations

import json
import socket
from typing import Any

MAX_BYTES = 1 << 16


class Channel:
    """One end; neither sending nor receiving ever waits."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        end.setblocking(False)

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        """Both ends of a new channel."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return cls(ours), cls(theirs)

    def fileno(self) -> int:
        """For a selector."""
        return self._end.fileno()

    def send(self, **message: Any) -> bool:
        """False where the other side is gone, or has not read for so long that nothing more fits."""
        try:
            self._end.send(json.dumps(message, separators=(',', ':')).encode())
        except OSError:
            return False
        return True

    def receive(self) -> dict[str, Any] | None:
        """The next message; None where there is none yet, EOFError where the other side is gone."""
        try:
            data = self._end.recv(MAX_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            data = b''
        if not data:
            raise EOFError('the other side of the channel has ended')
        message: dict[str, Any] = json.loads(data)
        return message

    def close(self) -> None:
        """Ends it for both sides."""
        self._end.close()
