"""The router: order, fallback, deadline, cancelling; and thinking over a bus."""

from __future__ import annotations

import threading

import pytest

from loom.core.clock import SystemClock
from loom.core.errors import LoomError, ModelError
from loom.core.event import Event
from loom.core.local_bus import LocalBus
from loom.reason.answer import Answer, Request
from loom.reason.backend import Cancelled, OnToken
from loom.reason.command_parser import CommandParser
from loom.reason.router import ModelRouter
from loom.reason.server import ModelServer


class Scripted:
    """A backend that does what the test says."""

    tasks = ('think', 'parse')

    def __init__(self, name: str, does: object = 'yes', local: bool = True) -> None:
        self.name, self.does, self.local = name, does, local
        self.ended = threading.Event()

    def infer(self, request: Request, on_token: OnToken, cancelled: Cancelled) -> Answer:
        if self.does == 'wait':
            while not cancelled():
                threading.Event().wait(0.005)
            self.ended.set()
            raise ModelError('ended')
        if isinstance(self.does, Exception):
            raise self.does
        on_token(str(self.does))
        return Answer(str(self.does), self.name, 0.9)


def ask(*backends: Scripted, **request: object) -> Answer:
    router = ModelRouter(backends)
    try:
        return router.ask(Request('think', 'hi', **request))  # type: ignore[arg-type]
    finally:
        router.close()


def test_the_first_answers_and_tokens_stream() -> None:
    tokens: list[str] = []
    router = ModelRouter([Scripted('a'), Scripted('b')])
    assert router.ask(Request('think', 'hi'), tokens.append) == Answer('yes', 'a', 0.9)
    assert tokens == ['yes'] and router.counts == {'a.answered': 1}
    router.close()


@pytest.mark.parametrize('error', [ModelError('no'), ValueError('bug')])
def test_the_next_answers_when_one_fails(error: Exception) -> None:
    assert ask(Scripted('a', error), Scripted('b')).backend == 'b'


def test_all_failed_names_each() -> None:
    with pytest.raises(ModelError, match='a: no; b: ValueError: bug') as caught:
        ask(Scripted('a', ModelError('no')), Scripted('b', ValueError('bug')))
    assert caught.value.code == 204


def test_a_late_backend_is_told_to_end() -> None:
    late = Scripted('a', 'wait')
    with pytest.raises(ModelError, match='a did not answer within 0.05 s') as caught:
        ask(late, deadline_s=0.05)
    assert caught.value.code == 202 and late.ended.wait(2.0)


def test_a_cancelled_request_ends() -> None:
    router, late = ModelRouter([Scripted('a', 'wait')]), []
    with pytest.raises(ModelError) as caught:
        router.ask(Request('think', 'hi'), cancelled=lambda: bool(late) or late.append(1) is not None)
    assert caught.value.code == 203
    router.close()


def test_routing_rules() -> None:
    router = ModelRouter([Scripted('cloud', local=False), Scripted('here')])
    assert [b.name for b in router.route(Request('think', '')).backends] == ['cloud', 'here']
    assert [b.name for b in router.route(Request('think', '', local_only=True)).backends] == ['here']
    with pytest.raises(ModelError, match="no backend does 'see'") as caught:
        router.route(Request('see', ''))
    assert caught.value.code == 201
    with pytest.raises(ModelError, match='task must be one of'):
        router.route(Request('dance', ''))
    router.close()


def served(data: object) -> dict[str, object]:
    clock = SystemClock()
    bus, router = LocalBus(clock), ModelRouter([CommandParser()])
    server, answers, came = ModelServer(bus, clock, router), [], threading.Event()

    def receive(event: Event) -> None:
        answers.append(event)
        came.set()

    bus.receive('asker', receive)
    question = Event.create('model.infer', data, source='test', stamp_ns=1, reply_to='asker')
    bus.send('model_router', question)
    assert came.wait(5.0)
    server.close()
    router.close()
    assert answers[0].correlation_id == question.id
    result: dict[str, object] = answers[0].data
    return result


def test_thinking_over_a_bus() -> None:
    answer = served({'task': 'parse', 'prompt': 'go to the kitchen'})
    assert answer['error_code'] == 0
    assert answer['text'] == '{"capability": "go_to", "arguments": {"place": "kitchen"}}'


@pytest.mark.parametrize(('data', 'text'), [
    ({'task': 'parse', 'prompt': 'dance'}, 'no rule understands'),
    ({'task': 'parse'}, 'needs task and prompt'), (None, 'needs task and prompt'),
    ({'task': 'parse', 'prompt': 'stop', 'deadline_s': -1}, 'deadline_s must be above 0')])
def test_errors_come_back_with_a_code(data: object, text: str) -> None:
    answer = served(data)
    assert answer['error_code'] in (202, 204)
    assert text in str(answer['error_msg'])


def test_an_answer_that_is_no_json_says_so() -> None:
    with pytest.raises(LoomError, match="the answer of 'a' must be JSON"):
        _ = Answer('yes', 'a').data
