"""A process that was started here: its group, its output, its end."""

from __future__ import annotations

import ctypes
import os
import pty
import signal
import subprocess
from collections.abc import Callable, Sequence

from .loop import Loop

PR_SET_PDEATHSIG = 1
CHUNK_BYTES = 65536
GROUP_POLL_S = 0.05
LEFT_BEHIND_S = 1.0
_prctl = getattr(ctypes.CDLL(None), 'prctl', None)


def _tie_to_parent(parent: int) -> None:
    """In the new process: lead a group of its own, and get SIGTERM when the launch dies.

    An own group makes Ctrl-C reach the launch alone, which then passes it on exactly once.
    """
    os.setpgid(0, 0)
    if _prctl is not None:
        _prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))
    if os.getppid() != parent:
        os._exit(1)


def group_members(group: int) -> list[int]:
    """Return the living processes of a group, but for its leader."""
    members = []
    for entry in os.listdir('/proc'):
        if not entry.isdigit() or int(entry) == group:
            continue
        try:
            with open(f'/proc/{entry}/stat', encoding='utf-8', errors='replace') as file:
                state, _, process_group = file.read().rpartition(')')[2].split()[:3]
        except OSError:
            continue
        if int(process_group) == group and state != 'Z':
            members.append(int(entry))
    return members


class Child:
    """A running process; tells its output and, once, its exit code."""

    def __init__(
        self,
        loop: Loop,
        cmd: Sequence[str],
        *,
        cwd: str | None,
        env: dict[str, str] | None,
        shell: bool,
        emulate_tty: bool,
        on_output: Callable[[int, bytes], None],
        on_exit: Callable[[int], None],
    ) -> None:
        """Start the process; OSError if that is impossible. Output comes with the number of its stream, 1 or 2."""
        self._loop = loop
        self._on_output = on_output
        self._on_exit = on_exit
        self._streams: dict[int, int] = {}
        self.ending = False
        self.ended = False
        self._polls = 0
        self._polling = False
        parent = os.getpid()
        self._child_sides: list[int] = []
        try:
            self._popen = subprocess.Popen(
                ' '.join(cmd) if shell else list(cmd),
                cwd=cwd,
                env=env,
                shell=shell,
                stdin=subprocess.PIPE,
                stdout=self._open_stream(1, emulate_tty),
                stderr=self._open_stream(2, emulate_tty),
                preexec_fn=lambda: _tie_to_parent(parent),
            )
        except BaseException:
            self.close()
            raise
        finally:
            for descriptor in self._child_sides:
                os.close(descriptor)

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its group."""
        return self._popen.pid

    @property
    def is_over(self) -> bool:
        """Whether the process has ended and all its output is read."""
        return self.ended and not self._streams

    def send(self, number: int) -> None:
        """Send a signal to the whole group, unless it is gone."""
        if not self.ended:
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                pass

    def check(self) -> None:
        """Tell the exit if the process has ended; while ending, wait for its whole group."""
        if self.ended:
            return
        # The unreaped leader keeps the number of its group from being used again.
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return
        if self.ending and group_members(self.pid):
            self._poll()
            return
        code = self._popen.wait()
        self.ended = True
        self._drain()
        self._on_exit(code)

    def close(self) -> None:
        """Stop reading."""
        for descriptor in list(self._streams):
            self._close_stream(descriptor)
        popen = getattr(self, '_popen', None)
        if popen is not None and popen.stdin is not None:
            popen.stdin.close()

    def _poll(self) -> None:
        if not self._polling:
            self._polling = True
            self._loop.call_later(GROUP_POLL_S, self._check_again)

    def _check_again(self) -> None:
        self._polling = False
        self._polls += 1
        if self._polls == round(LEFT_BEHIND_S / GROUP_POLL_S):
            self.send(signal.SIGTERM)  # a shell's background jobs ignore SIGINT and nobody waits for them any more
        self.check()

    def _open_stream(self, number: int, emulate_tty: bool) -> int:
        """Return the child's side of a new stream and watch ours."""
        ours, theirs = pty.openpty() if emulate_tty else os.pipe()
        self._child_sides.append(theirs)
        self._streams[ours] = number
        self._loop.watch(ours, lambda: self._read(ours))
        return theirs

    def _close_stream(self, descriptor: int) -> None:
        del self._streams[descriptor]
        self._loop.unwatch(descriptor)
        os.close(descriptor)

    def _read(self, descriptor: int) -> bool:
        """Pass on what can be read now; returns whether there may be more."""
        if descriptor not in self._streams:
            return False
        try:
            data = os.read(descriptor, CHUNK_BYTES)
        except BlockingIOError:
            return False
        except OSError:  # a terminal whose other side is closed
            data = b''
        if data:
            self._on_output(self._streams[descriptor], data)
        else:
            self._close_stream(descriptor)
        return bool(data)

    def _drain(self) -> None:
        """Read what the dead process left; a process of its group may still write and is not waited for."""
        for descriptor in list(self._streams):
            for _ in range(64):
                if not self._read(descriptor):
                    break
