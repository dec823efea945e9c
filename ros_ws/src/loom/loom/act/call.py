"""One call of a capability while the broker looks after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from loom.core.event import Event

# What was taken and not answered is sent once more this often: somebody who was started anew may have it by then.
AGAIN_S = 2.0
Outcome = dict[str, Any]
OnOutcome = Callable[[Outcome], None]
Feedback = dict[str, Any]
OnFeedback = Callable[[Feedback], None]


@dataclass
class Call:
    """Who asked for what, until when, and who is to hear of it; `agent` is empty while nobody is known who can do it.

    `waits_since_ns` is when it began to wait for one, by the wall clock, 0: it did not; `asked` are the ids of the
    events that asked for it, `again_ns` is when its agent is asked once more.
    """

    id: str
    capability: str
    arguments: dict[str, Any]
    caller: str
    timeout_s: float
    first_sent_ns: int
    waits_since_ns: int = 0
    agent: str = ''
    deadline_ns: int = 0
    again_ns: int = 0
    request: Event | None = None
    asked: set[str] = field(default_factory=set)
    on_outcome: list[OnOutcome] = field(default_factory=list)
    on_feedback: list[OnFeedback] = field(default_factory=list)

    def join(self, request: Event | None, on_outcome: OnOutcome, on_feedback: OnFeedback) -> None:
        """Tells one more of it; an event that asks once more is told once."""
        if request is not None and request.id in self.asked:
            return
        if request is not None:
            self.asked.add(request.id)
        self.on_outcome.append(on_outcome)
        self.on_feedback.append(on_feedback)


def outcome(result: Any = None, error_code: int = 0, error_msg: str = '') -> Outcome:
    """The data of a `capability.result` event."""
    return {'result': result, 'error_code': error_code, 'error_msg': error_msg}


def no_feedback(data: Feedback) -> None:
    """For callers that do not listen to feedback."""
