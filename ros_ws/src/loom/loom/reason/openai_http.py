"""Any server that speaks the OpenAI chat protocol: llama.cpp, vLLM, Ollama, or a service."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from loom.core.errors import ConfigError, ModelError
from loom.reason.answer import ALL_FAILED, CANCELLED, Answer, Request
from loom.reason.backend import Backend, Cancelled, OnToken

LOOPBACK = ('localhost', '127.0.0.1', '::1')
MAX_ANSWER_BYTES = 1 << 20
MAX_TOKENS = 512
NAME = 'openai_http'


def servers_named(variables: Mapping[str, str]) -> list[Backend]:
    """The server that LOOM_MODEL_ROUTER_OPENAI_URL, ..._MODEL and LOOM_MODEL_KEY name; none where there is no URL."""
    url = variables.get('LOOM_MODEL_ROUTER_OPENAI_URL', '')
    model = variables.get('LOOM_MODEL_ROUTER_OPENAI_MODEL', 'default')
    return [OpenAiHttp(url, model, variables.get('LOOM_MODEL_KEY', ''))] if url else []


class OpenAiHttp:
    """A backend for the task `think`; streams tokens and ends at the deadline."""

    name = NAME
    tasks: tuple[str, ...] = ('think',)

    def __init__(self, url: str, model: str, key: str = '') -> None:
        parts = urlsplit(url)
        if parts.scheme not in ('http', 'https') or not parts.hostname:
            raise ConfigError(f'openai_url must be like http://127.0.0.1:8080/v1, got {url[:120]!r}')
        self.local = parts.hostname in LOOPBACK
        self._parts = parts
        self._model = model
        self._key = key

    def infer(self, request: Request, on_token: OnToken, cancelled: Cancelled) -> Answer:
        """The answer of the server; ModelError where it can't be reached or does not answer in time."""
        text = ''
        for token in self._stream(request, time.monotonic() + request.deadline_s, cancelled):
            on_token(token)
            text += token
            if len(text) > MAX_ANSWER_BYTES:
                raise ModelError(f'an answer must be at most {MAX_ANSWER_BYTES} characters', ALL_FAILED)
        return Answer(text, self.name, 0.8)

    def _stream(self, request: Request, deadline: float, cancelled: Cancelled) -> Iterator[str]:
        kind = http.client.HTTPSConnection if self._parts.scheme == 'https' else http.client.HTTPConnection
        connection = kind(self._parts.hostname or '', self._parts.port, timeout=request.deadline_s)
        try:
            headers = {'Content-Type': 'application/json'}
            if self._key:
                headers['Authorization'] = f'Bearer {self._key}'
            path = '/'.join([self._parts.path.rstrip('/'), 'chat', 'completions'])
            connection.request('POST', path, json.dumps(self._question(request)), headers)
            response = connection.getresponse()
            if response.status != 200:
                raise ModelError(f'{self._parts.netloc} answered {response.status}: {response.read(200)!r}', ALL_FAILED)
            for line in response:
                if cancelled():
                    raise ModelError('the request was cancelled', CANCELLED)
                if time.monotonic() > deadline:
                    raise ModelError(f'{self._parts.netloc} did not finish in time', ALL_FAILED)
                yield from _token(line)
        except (OSError, http.client.HTTPException) as error:
            raise ModelError(f'{self._parts.netloc} can not be reached: {error!r}', ALL_FAILED) from error
        finally:
            connection.close()

    def _question(self, request: Request) -> dict[str, Any]:
        messages = [{'role': 'user', 'content': request.prompt}]
        if request.context:
            known = json.dumps(request.context, default=str)
            messages.insert(0, {'role': 'system', 'content': f'You are a robot. What you know now: {known}'})
        return {'model': self._model, 'messages': messages, 'stream': True, 'max_tokens': MAX_TOKENS}


def _token(line: bytes) -> Iterator[str]:
    if not line.startswith(b'data:') or line.strip() == b'data: [DONE]':
        return
    try:
        choice = json.loads(line[5:])['choices'][0]
        token = choice['delta'].get('content')
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise ModelError(f'the stream must hold chat completion chunks, got {line[:80]!r}', ALL_FAILED) from error
    if token:
        yield str(token)
