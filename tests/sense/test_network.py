"""The gateway: a real server on loopback, a real client."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import pytest

from loom.core.clock import ManualClock
from loom.core.errors import ConfigError, DeviceError
from loom.core.event import Event
from loom.core.local_bus import LocalBus
from loom.sense.network import CLIENT_QUEUE, Door, Gateway

Opener = Callable[..., Gateway]
TYPED = {'type': 'text.typed', 'data': {'text': 'hi'}}


@pytest.fixture
def bus() -> LocalBus:
    return LocalBus(ManualClock(1))


@pytest.fixture
def opened(bus: LocalBus) -> Iterator[Opener]:
    gateways: list[Gateway] = []

    def make(**door: Any) -> Gateway:
        gateways.append(Gateway(bus, ManualClock(1), lambda function: function(), Door(**{'port': 0, **door})))
        gateways[-1].start()
        return gateways[-1]
    yield make
    for gateway in gateways:
        gateway.stop()
        assert not gateway._thread.is_alive()


def ask(gateway: Gateway, talk: Callable[[aiohttp.ClientSession, str], Awaitable[Any]]) -> Any:
    async def session() -> Any:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as client:
            return await talk(client, f'http://127.0.0.1:{gateway.port}/events')
    return asyncio.run(session())


def post(gateway: Gateway, headers: dict[str, str] | None = None, **body: Any) -> tuple[int, dict[str, Any]]:
    async def talk(client: aiohttp.ClientSession, url: str) -> tuple[int, dict[str, Any]]:
        async with client.post(url, headers=headers, **(body or {'json': TYPED})) as answer:
            return answer.status, await answer.json()
    result: tuple[int, dict[str, Any]] = ask(gateway, talk)
    return result


def test_a_post_becomes_an_event(opened: Opener, bus: LocalBus) -> None:
    heard: list[Event] = []
    bus.subscribe('text.typed', heard.append)
    status, answer = post(opened())
    assert status == 202 and answer == {'id': heard[0].id}
    assert heard[0].data == {'text': 'hi'} and heard[0].source == 'network_gateway'


@pytest.mark.parametrize(('request_parts', 'status', 'reason'), [
    ({'data': b'{', 'headers': {'Content-Type': 'application/json'}}, 400, 'must be JSON'),
    ({'data': b'{}', 'headers': {'Content-Type': 'text/plain'}}, 415, 'application/json'),
    ({'json': TYPED, 'headers': {'Origin': 'http://evil.example'}}, 403, 'of this machine'),
    ({'json': TYPED, 'headers': {'Host': 'evil.example'}}, 403, 'of this machine'),
])
def test_bad_requests_are_refused(opened: Opener, request_parts: dict[str, Any], status: int, reason: str) -> None:
    got, answer = post(opened(), **request_parts)
    assert got == status and reason in answer['error']


def test_too_large_is_refused(opened: Opener) -> None:
    async def talk(client: aiohttp.ClientSession, url: str) -> int:
        async with client.post(url, json={'type': 'a', 'data': 'x' * 70000}) as answer:
            return answer.status
    assert ask(opened(), talk) == 413


def test_the_token_is_asked_for(opened: Opener) -> None:
    gateway = opened(token='secret')
    assert post(gateway)[0] == 401
    assert post(gateway, {'Authorization': 'Bearer secret'})[0] == 202
    assert gateway.counts['unauthorized'] == 1


def test_too_fast_is_refused(opened: Opener) -> None:
    gateway = opened(rate_hz=0.01)
    assert [post(gateway)[0] for _ in range(2)] == [202, 429]


def test_a_websocket_hears_and_speaks(opened: Opener, bus: LocalBus) -> None:
    heard: list[Event] = []
    bus.subscribe('text.*', heard.append)

    async def talk(client: aiohttp.ClientSession, url: str) -> list[Any]:
        async with client.ws_connect(url + '?types=camera.**,camera.front.*,text.*') as stream:
            await stream.send_json(TYPED)
            lines = [await stream.receive_json()]
            await stream.send_str('broken')
            lines.append(await stream.receive_json())
            bus.publish(Event.create('motion.bump', source='x', stamp_ns=1))
            bus.publish(Event.create('camera.front.object', {'label': 'ball'}, source='x', stamp_ns=1))
            bus.publish(Event.create('text.typed', source='x', stamp_ns=1))
            return [*lines, await stream.receive_json(), await stream.receive_json()]
    echo, refusal, seen, last = ask(opened(), talk)
    assert echo['type'] == 'text.typed' and 'must be JSON' in refusal['error']
    assert seen['type'] == 'camera.front.object' and seen['data'] == {'label': 'ball'}
    assert last['type'] == 'text.typed' and len(heard) == 2


def test_clients_are_counted_and_limited(opened: Opener, bus: LocalBus) -> None:
    gateway = opened(max_clients=1)

    async def talk(client: aiohttp.ClientSession, url: str) -> tuple[int, int]:
        headers = {'Connection': 'Upgrade', 'Upgrade': 'websocket'}
        async with client.ws_connect(url), client.get(url, headers=headers) as full:
            return full.status, len(gateway.clients)
    assert ask(gateway, talk) == (503, 1)


def test_a_plain_get_and_bad_patterns_are_refused(opened: Opener) -> None:
    async def talk(client: aiohttp.ClientSession, url: str) -> list[int]:
        return [(await client.get(url)).status, (await client.get(url + '?types=A')).status]
    assert ask(opened(), talk) == [426, 400]


def test_a_client_that_does_not_read_loses_the_oldest(opened: Opener, bus: LocalBus) -> None:
    from loom.sense.network import Client

    async def fill() -> Client:
        client = Client(['**'], asyncio.get_running_loop())
        for number in range(CLIENT_QUEUE + 3):
            client.handler('**')(Event.create('a', number, source='x', stamp_ns=1))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return client
    client = asyncio.run(fill())
    assert client.queue.qsize() == CLIENT_QUEUE and client.dropped == 3
    assert json.loads(client.queue.get_nowait())['data'] == 3


def test_a_port_in_use_is_named(opened: Opener) -> None:
    with socket.socket() as other:
        other.bind(('127.0.0.1', 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=rf'{port} is not .*set network_gateway port to another'):
            opened(port=port)


def test_it_listens_on_loopback_only(bus: LocalBus) -> None:
    with pytest.raises(ConfigError, match='loopback'):
        Gateway(bus, ManualClock(), lambda function: function(), Door(host='0.0.0.0'))


def test_stopping_ends_open_streams_and_a_dead_server_is_noticed(opened: Opener) -> None:
    gateway = opened()

    async def talk(client: aiohttp.ClientSession, url: str) -> Any:
        async with client.ws_connect(url) as stream:
            gateway.check()
            await asyncio.get_running_loop().run_in_executor(None, gateway.stop)
            return (await stream.receive()).type
    assert ask(gateway, talk) in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING)
    gateway._stop.clear()
    with pytest.raises(DeviceError, match='has ended'):
        gateway.check()
