"""The OpenAI protocol against a real HTTP server on loopback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from loom.core.errors import ConfigError, ModelError
from loom.reason.answer import Request
from loom.reason.openai_http import OpenAiHttp

GOOD = [b'data: {"choices":[{"delta":{"role":"assistant"}}]}\n\n',
        b'data: {"choices":[{"delta":{"content":"Hello"}}]}\n\n',
        b'data: {"choices":[{"delta":{"content":" you"}}]}\n\n', b'data: [DONE]\n\n']


class Server(ThreadingHTTPServer):
    """Answers each chat with the given lines."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(('127.0.0.1', 0), Handler)
        self.lines, self.status, self.pause_s = GOOD, 200, 0.0
        self.asked: list[tuple[str, dict, str | None]] = []


class Handler(BaseHTTPRequestHandler):
    """One chat."""

    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers['Content-Length']))
        self.server.asked.append((self.path, json.loads(body), self.headers.get('Authorization')))
        self.send_response(self.server.status)
        self.end_headers()
        for line in self.server.lines:
            time.sleep(self.server.pause_s)
            try:
                self.wfile.write(line)
                self.wfile.flush()
            except OSError:
                return

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


def ask(server: Server, deadline_s: float = 5.0, cancelled: bool = False, key: str = '') -> tuple[str, list[str]]:
    tokens: list[str] = []
    backend = OpenAiHttp(f'http://127.0.0.1:{server.server_port}/v1/', 'small', key)
    assert backend.local
    answer = backend.infer(Request('think', 'hi', {'battery': 0.5}, deadline_s), tokens.append, lambda: cancelled)
    return answer.text, tokens


def test_it_asks_and_streams(server: Server) -> None:
    assert ask(server, key='k') == ('Hello you', ['Hello', ' you'])
    path, question, authorization = server.asked[0]
    assert (path, authorization) == ('/v1/chat/completions', 'Bearer k')
    assert question['model'] == 'small' and question['stream'] is True
    assert 'battery' in question['messages'][0]['content'] and question['messages'][1]['content'] == 'hi'


def test_an_error_status_is_named(server: Server) -> None:
    server.status = 503
    with pytest.raises(ModelError, match='answered 503'):
        ask(server)


def test_rubbish_is_refused(server: Server) -> None:
    server.lines = [b'data: {"choices": 7}\n\n']
    with pytest.raises(ModelError, match='must hold chat completion chunks'):
        ask(server)


def test_a_slow_stream_ends_at_the_deadline(server: Server) -> None:
    server.lines, server.pause_s = GOOD[1:2] * 100, 0.05
    with pytest.raises(ModelError, match='did not finish in time'):
        ask(server, deadline_s=0.1)


def test_cancelling_ends_it(server: Server) -> None:
    with pytest.raises(ModelError, match='cancelled') as caught:
        ask(server, cancelled=True)
    assert caught.value.code == 203


def test_nobody_there() -> None:
    with pytest.raises(ModelError, match='can not be reached'):
        OpenAiHttp('http://127.0.0.1:9/v1', 'm').infer(Request('think', 'hi'), lambda t: None, lambda: False)


def test_a_bad_address_is_refused_and_others_are_not_local() -> None:
    with pytest.raises(ConfigError, match='openai_url must be like'):
        OpenAiHttp('ftp://x', 'm')
    assert not OpenAiHttp('https://example.org/v1', 'm').local
