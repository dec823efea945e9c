"""Which processes an event is meant for, by name, id or program."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any


def matches_pid(pid: int) -> Callable[[Any], bool]:
    """Return a matcher for the process with this id."""
    return lambda action: (action.process_details or {}).get('pid') == pid


def matches_name(name: str) -> Callable[[Any], bool]:
    """Return a matcher for the process with this name, such as 'camera-1'."""
    return lambda action: (action.process_details or {}).get('name') == name


def matches_executable(executable: str) -> Callable[[Any], bool]:
    """Return a matcher for the processes of this program, given by name or path."""

    def matches(action: Any) -> bool:
        command = (action.process_details or {}).get('cmd') or ['']
        return executable in (command[0], os.path.basename(command[0]))

    return matches
