"""Something happened to a process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...event import Event

if TYPE_CHECKING:
    from ...action import Action


class RunningProcessEvent(Event):
    """What is known of the process: its action, name, command, folder, environment and id."""

    name = 'launch.events.process.RunningProcessEvent'

    def __init__(
        self,
        *,
        action: Action,
        name: str,
        cmd: Sequence[str],
        cwd: str | None,
        env: dict[str, str] | None,
        pid: int,
    ) -> None:
        """Keep what is known of the process."""
        self.action = action
        self.process_name = name
        self.cmd = list(cmd)
        self.cwd = cwd
        self.env = env
        self.pid = pid
