"""The mailbox of the models: what is asked twice is answered once, and what comes too late is said to be."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from loom.core.clock import NANOSECONDS, SystemClock
from loom.core.errors import ModelError
from loom.core.event import Event
from loom.core.inlet import FIRST_SENT, RECENT
from loom.core.local_bus import LocalBus
from loom.reason.answer import LATE, Answer, Request
from loom.reason.router import ModelRouter
from loom.reason.server import MAX_WAITING, MODEL_SHARE, ModelServer, in_time

Until = Callable[..., None]
NOW = 1000 * NANOSECONDS


class Held:
    """A model that answers when the gate opens."""

    name, tasks, local = 'held', ('think',), True

    def __init__(self) -> None:
        self.gate, self.asked = threading.Event(), list[str]()

    def infer(self, request: Request, on_token: Any, cancelled: Any) -> Answer:
        self.asked.append(request.prompt)
        self.gate.wait(10.0)
        return Answer(request.prompt, self.name)


class Desk:
    """A server with a model that is held, and who asks it."""

    def __init__(self) -> None:
        self.bus, self.model, self.answers = LocalBus(SystemClock()), Held(), list[Event]()
        self._router = ModelRouter([self.model])
        self.server = ModelServer(self.bus, SystemClock(), self._router)
        self.bus.receive('asker', self.answers.append)

    def ask(self, prompt: str, **data: Any) -> Event:
        return self.again(Event.create('model.infer', {'task': 'think', 'prompt': prompt, 'deadline_s': 10.0, **data},
                                       source='test', stamp_ns=1, reply_to='asker'))

    def again(self, question: Event) -> Event:
        self.bus.send('model_router', question)
        return question

    def close(self) -> None:
        self.model.gate.set()
        self.server.close()
        self._router.close()


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.close()


def test_a_question_that_is_sent_once_more_is_asked_and_answered_once(desk: Desk, until: Until) -> None:
    question = desk.ask('first')
    for number in range(MAX_WAITING - 1):
        desk.ask(f'{number}')
    # After so many others the bus has forgotten that it heard the first one; there is no room for another.
    for _ in range(RECENT):
        desk.ask('too many')
    refused = len(desk.answers)
    assert refused == RECENT and 'at most 64 requests may wait' in desk.answers[0].data['error_msg']
    desk.again(replace(question, metadata={FIRST_SENT: '1'}))
    desk.model.gate.set()
    until(lambda: len(desk.answers) == refused + MAX_WAITING)
    assert desk.model.asked.count('first') == 1 and not desk.server._waiting
    answered = [answer.correlation_id for answer in desk.answers[refused:]]
    assert answered.count(question.id) == 1 and len(set(answered)) == MAX_WAITING


def test_what_waited_until_its_time_was_over_is_not_asked(desk: Desk, until: Until) -> None:
    for number in range(4):
        desk.ask(f'{number}')
    until(lambda: len(desk.model.asked) == 4)
    late = desk.ask('late', deadline_s=0.01)
    over_s = time.monotonic() + 0.02
    until(lambda: time.monotonic() > over_s)
    desk.model.gate.set()
    until(lambda: len(desk.answers) == 5)
    answer, = (answer.data for answer in desk.answers if answer.correlation_id == late.id)
    assert answer['error_code'] == LATE and 'wanted within 0.01 s, which were over when its turn came' in (
        answer['error_msg'])
    assert 'late' not in desk.model.asked


@pytest.mark.parametrize(('first_s', 'sent_s', 'arrived_s', 'left_s'), [
    (0, 0, 0, 4.0), (0, 0, -1, 3.0), (-10, -9, -1, 2.0), (5000, 5002, 0, 2.0), (5002, 5000, 1, 4.0)])
def test_a_model_gets_the_time_that_is_left(first_s: float, sent_s: float, arrived_s: float, left_s: float) -> None:
    """Clocks of two machines may differ by any amount."""
    def at(seconds: float) -> int:
        return NOW + round(seconds * NANOSECONDS)
    question = Event.create('model.infer', None, source='test', stamp_ns=1, sent_ns=at(sent_s),
                            arrived_ns=at(arrived_s), metadata={FIRST_SENT: str(at(first_s))})
    assert in_time(Request('think', '', deadline_s=4.0), question, NOW).deadline_s == pytest.approx(
        left_s * MODEL_SHARE)


def test_no_time_is_left_and_a_deadline_that_breaks_its_rule_is_left_to_the_router() -> None:
    question = Event.create('model.infer', None, source='test', stamp_ns=1, sent_ns=NOW, arrived_ns=NOW,
                            metadata={FIRST_SENT: str(NOW - 4 * NANOSECONDS)})
    with pytest.raises(ModelError, match='wanted within 4 s') as late:
        in_time(Request('think', '', deadline_s=4.0), question, NOW)
    assert late.value.code == LATE
    for deadline_s in (-1.0, 0.0, 500.0):
        assert in_time(Request('think', '', deadline_s=deadline_s), question, NOW).deadline_s == deadline_s
