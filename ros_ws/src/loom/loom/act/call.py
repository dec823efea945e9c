"""One call of a capability while the broker looks after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from loom.core.event import Event

Outcome = dict[str, Any]
OnOutcome = Callable[[Outcome], None]
Feedback = dict[str, Any]
OnFeedback = Callable[[Feedback], None]


@dataclass
class Call:
    """Who asked for what, until when, and who is to hear of it."""

    id: str
    capability: str
    arguments: dict[str, Any]
    caller: str
    deadline_ns: int
    agent: str = ''
    request: Event | None = None
    on_outcome: list[OnOutcome] = field(default_factory=list)
    on_feedback: list[OnFeedback] = field(default_factory=list)


def outcome(result: Any = None, error_code: int = 0, error_msg: str = '') -> Outcome:
    """The data of a `capability.result` event."""
    return {'result': result, 'error_code': error_code, 'error_msg': error_msg}


def no_feedback(data: Feedback) -> None:
    """For callers that do not listen to feedback."""
