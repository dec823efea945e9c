"""Events in and out over HTTP and WebSocket, for programs on this machine (the door of aiohttp)."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import WSMsgType, web

from loom.core.bus import Bus, Subscription
from loom.core.clock import Clock
from loom.core.errors import ConfigError, DeviceError, EventError
from loom.core.event import Event
from loom.core.patterns import matches
from loom.sense.wire import (
    MAX_BYTES,
    Allowance,
    event_from,
    event_to_json,
    foreign,
    loopback,
    may_enter,
    message,
    patterns_from,
)

SOURCE, ROUTE = 'network_gateway', 'events'
START_DEADLINE_S, STOP_DEADLINE_S, READ_DEADLINE_S = 3.0, 1.5, 5.0
CLIENT_QUEUE = 256
MAX_ADDRESSES = 64
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Door:
    """Where the gateway listens and whom it lets in."""

    host: str = '127.0.0.1'
    port: int = 8770
    token: str = ''
    rate_hz: float = 100.0
    max_clients: int = 16
    allowed: tuple[str, ...] = ('**',)


class Client:
    """One WebSocket: its patterns, its subscriptions, and a queue that drops the oldest."""

    def __init__(self, patterns: list[str], loop: asyncio.AbstractEventLoop) -> None:
        self.patterns, self._loop = patterns, loop
        self.queue: asyncio.Queue[str] = asyncio.Queue(CLIENT_QUEUE)
        self.subscriptions: list[Subscription] = []
        self.dropped, self.open = 0, True

    def handler(self, pattern: str) -> Callable[[Event], None]:
        """What the bus calls; of several patterns that match an event only the first one counts."""
        def offer(event: Event) -> None:
            if self.open and pattern == next((p for p in self.patterns if matches(p, event.type)), None):
                self._loop.call_soon_threadsafe(self._put, event_to_json(event))
        return offer

    def _put(self, line: str) -> None:
        if self.queue.full():
            self.queue.get_nowait()
            self.dropped += 1
        self.queue.put_nowait(line)


class Gateway:
    """The server in a thread of its own; touches the bus only through `call_soon`."""

    def __init__(self, bus: Bus, clock: Clock, call_soon: Callable[[Callable[[], None]], None], door: Door) -> None:
        loopback(door.host)
        self.door, self.port, self.fault = door, 0, ''
        self.counts: Counter[str] = Counter()
        self.clients: set[Client] = set()
        self._bus, self._clock, self._call_soon = bus, clock, call_soon
        self._allowances: OrderedDict[str, Allowance] = OrderedDict()
        self._loop = asyncio.new_event_loop()
        self._ready, self._stop = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, name='gateway', daemon=True)

    def start(self) -> int:
        """Listens; returns the port. Raises ConfigError where it is in use."""
        self._thread.start()
        if not self._ready.wait(START_DEADLINE_S):
            raise DeviceError(f'the network gateway must listen within {START_DEADLINE_S} s and does not')
        if self.fault:
            raise ConfigError(self.fault)
        return self.port

    def check(self) -> None:
        """DeviceError where the server has ended by itself."""
        if not self._thread.is_alive() and not self._stop.is_set():
            raise DeviceError(f'the network gateway has ended: {self.fault or "see the log"}; restart its node')

    def stop(self) -> None:
        """Ends all connections and the thread."""
        if self._thread.is_alive():
            # A server that ends by itself may close its loop between the question and the call.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(STOP_DEADLINE_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        application = web.Application(client_max_size=MAX_BYTES, middlewares=[self._guard])
        application.add_routes([web.post(f'/{ROUTE}', self._post), web.get(f'/{ROUTE}', self._stream)])
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.3, handle_signals=False)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.door.host, self.door.port).start()
            self.port = runner.addresses[0][1]
            self._ready.set()
            await self._stop.wait()
        except OSError as error:
            self.fault = (f'port must be free on {self.door.host}, {self.door.port} is not ({error.strerror}); end the '
                          'program that uses it, or set network_gateway port to another (0: any free one)')
        finally:
            for client in list(self.clients):
                self._leave(client)
            await runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if foreign(request.headers.get('Origin', '')) or foreign(request.host):
            return self._refuse(403, 'foreign', 'Host and Origin must be of this machine')
        if not may_enter(self.door.token, request.headers.get('Authorization', '')):
            return self._refuse(401, 'unauthorized', 'send the header Authorization: Bearer <token>')
        if not self._allowance(request.remote or '').take(time.monotonic()):
            return self._refuse(429, 'too_fast', f'at most {self.door.rate_hz} requests a second')
        return await handler(request)

    def _refuse(self, status: int, reason: str, text: str) -> web.Response:
        self.counts[reason] += 1
        headers = {401: {'WWW-Authenticate': 'Bearer'}, 429: {'Retry-After': '1'}}.get(status)
        return web.json_response(message(text), status=status, headers=headers)

    def _allowance(self, address: str) -> Allowance:
        if address not in self._allowances and len(self._allowances) >= MAX_ADDRESSES:
            self._allowances.popitem(last=False)
        return self._allowances.setdefault(address, Allowance(self.door.rate_hz))

    async def _post(self, request: web.Request) -> web.StreamResponse:
        # A web page may send text/plain to any address without asking; JSON it may not.
        if request.content_type != 'application/json':
            return self._refuse(415, 'malformed', 'Content-Type must be application/json')
        try:
            body = await asyncio.wait_for(request.read(), READ_DEADLINE_S)
            return web.json_response({'id': self._publish(body)}, status=202)
        except EventError as error:
            return self._refuse(400, 'malformed', str(error))
        except asyncio.TimeoutError:
            return self._refuse(408, 'slow', f'the body must arrive within {READ_DEADLINE_S} s')

    def _publish(self, body: bytes | str) -> str:
        event = event_from(body, source=SOURCE, stamp_ns=self._clock.now_ns(), allowed=self.door.allowed)
        self._call_soon(lambda: self._bus.publish(event))
        self.counts['received'] += 1
        return event.id

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if len(self.clients) >= self.door.max_clients:
            return self._refuse(503, 'full', f'at most {self.door.max_clients} clients at a time')
        try:
            client = Client(patterns_from(request.query.get('types', '')), self._loop)
        except EventError as error:
            return self._refuse(400, 'malformed', str(error))
        socket = web.WebSocketResponse(max_msg_size=MAX_BYTES, heartbeat=20.0, timeout=0.3)
        if not socket.can_prepare(request):
            return self._refuse(426, 'malformed', 'GET /events must be a WebSocket; POST sends one event')
        await socket.prepare(request)
        self._enter(client)
        sending = asyncio.ensure_future(self._send(client, socket))
        try:
            await self._receive(socket)
        finally:
            sending.cancel()
            self._leave(client)
        return socket

    def _enter(self, client: Client) -> None:
        self.clients.add(client)

        def subscribe() -> None:
            if client.open:
                client.subscriptions = [self._bus.subscribe(p, client.handler(p)) for p in client.patterns]
        self._call_soon(subscribe)

    def _leave(self, client: Client) -> None:
        client.open = False
        self.clients.discard(client)
        self.counts['dropped'] += client.dropped

        def unsubscribe() -> None:
            for subscription in client.subscriptions:
                subscription.close()
            client.subscriptions = []
        self._call_soon(unsubscribe)

    async def _send(self, client: Client, socket: web.WebSocketResponse) -> None:
        stopping = asyncio.ensure_future(self._stop.wait())
        while not self._stop.is_set():
            line = asyncio.ensure_future(client.queue.get())
            await asyncio.wait((line, stopping), return_when=asyncio.FIRST_COMPLETED)
            if line.done():
                await socket.send_str(line.result())
                self.counts['sent'] += 1
        await socket.close()

    async def _receive(self, socket: web.WebSocketResponse) -> None:
        allowance = Allowance(self.door.rate_hz)
        async for incoming in socket:
            if incoming.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                continue
            try:
                if not allowance.take(time.monotonic()):
                    raise EventError(f'at most {self.door.rate_hz} events a second')
                self._publish(incoming.data)
            except EventError as error:
                self.counts['malformed'] += 1
                await socket.send_json(message(error))
