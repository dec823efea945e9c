"""Requests to the supervisor as calls on the supervision, and its state as messages."""

from __future__ import annotations

from collections.abc import Callable

from builtin_interfaces.msg import Time
from loom_msgs.msg import Health
from loom_msgs.srv import ManageNodes

from loom.core.errors import LoomError
from loom.ros.supervision import Supervision

UNKNOWN_COMMAND, NODE_FAILED = 1, 2


def command(supervision: Supervision, number: int) -> Callable[[], None]:
    """The call that a ManageNodes command asks for; LoomError for a number that is none."""
    calls = {
        ManageNodes.Request.STARTUP: supervision.startup, ManageNodes.Request.PAUSE: supervision.pause,
        ManageNodes.Request.RESUME: supervision.resume, ManageNodes.Request.RESET: supervision.reset,
        ManageNodes.Request.SHUTDOWN: supervision.shutdown, ManageNodes.Request.CONFIGURE: supervision.configure,
        ManageNodes.Request.CLEANUP: supervision.reset}
    if number not in calls:
        raise LoomError(f'command must be one of 0..{max(calls)}, got {number}', UNKNOWN_COMMAND)
    return calls[number]


def mode(supervision: Supervision, name: str) -> Callable[[], None]:
    """The call that brings the robot into a mode; LoomError for an unknown one."""
    calls = {'active': supervision.resume, 'paused': supervision.pause}
    if name not in calls:
        raise LoomError(f'mode must be one of {", ".join(calls)}, got {name!r}', UNKNOWN_COMMAND)
    return calls[name]


def health_message(mode_name: str, states: dict[str, str], failure: str, stamp: Time) -> Health:
    """The observed states of the managed nodes, with the worst of them as the level."""
    message = Health(stamp=stamp, mode=mode_name, nodes=list(states), states=list(states.values()))
    wrong = [f'{node} is {state}' for node, state in states.items() if state != 'active']
    if mode_name == 'active' and wrong:
        message.level = Health.DOWN if any(s == 'unknown' for s in states.values()) else Health.DEGRADED
    elif mode_name != 'active':
        message.level = Health.DOWN if failure else Health.DEGRADED
    message.message = failure or (', '.join(wrong) if mode_name == 'active' else mode_name)
    return message
