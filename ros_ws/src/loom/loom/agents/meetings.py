"""Where agents wait for each other: who has arrived answers, who has not lets the others wait."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from loom.core.errors import BusyError
from loom.core.event import Event

ARRIVE = 'barrier.arrive'
MAX_WAITING = 256


class Meetings:
    """The barriers of one agent; `answer(question)` tells another one that this agent has arrived."""

    def __init__(self, answer: Callable[[Event], None]) -> None:
        self._answer = answer
        self._here: Counter[str] = Counter()
        self._waiting: dict[str, tuple[Event, asyncio.TimerHandle]] = {}

    def __len__(self) -> int:
        return len(self._here) + len(self._waiting)

    @contextmanager
    def arrived(self, name: str) -> Iterator[set[str]]:
        """While in `with`, this agent is at the barrier; gives the agents who waited for it, who are told."""
        self._here[name] += 1
        waited = [question for question, _ in self._waiting.values() if question.data['name'] == name]
        for question in waited:
            self.withdraw(question.id)
            self._answer(question)
        try:
            yield {question.sender for question in waited}
        finally:
            self._here[name] -= 1
            if not self._here[name]:
                del self._here[name]

    def ask(self, question: Event) -> None:
        """Answers another agent as soon as this one arrives; BusyError where too many wait."""
        if self._here[str(question.data['name'])]:
            self._answer(question)
            return
        if len(self._waiting) >= MAX_WAITING:
            raise BusyError(f'at most {MAX_WAITING} may wait at the barriers of one agent; try later')
        forget = asyncio.get_running_loop().call_later(float(question.data['timeout_s']), self.withdraw, question.id)
        self._waiting[question.id] = (question, forget)

    def withdraw(self, question_id: str) -> bool:
        """Lets one who waits go; False where nobody with this question does."""
        found = self._waiting.pop(question_id, None)
        if found is not None:
            found[1].cancel()
        return found is not None

    def close(self) -> None:
        """Lets all who wait go."""
        for question_id in list(self._waiting):
            self.withdraw(question_id)
