"""What an agent's code can do while it runs: the five verbs, the body, and waiting."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractContextManager, aclosing
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from loom.act.capability import BUSY, MAX_TIMEOUT_S
from loom.agents.directory import ACTIVE, AgentCard, Directory
from loom.agents.exchange import UNTAKEN_S, Exchange, Listener
from loom.agents.recollection import Recollection
from loom.agents.requests import BEAT, answer_of
from loom.core.clock import NANOSECONDS, Clock
from loom.core.delivery import REALTIME, Delivery
from loom.core.errors import CapabilityError, ConfigError, DeadlineError, DeviceError, ModelError
from loom.core.event import Event
from loom.reason.answer import Answer

# Without a body, an agent needs no numpy and no OpenCV.
if TYPE_CHECKING:
    from loom.act.body import Body

BROKER = 'action_broker'
ROUTER = 'model_router'
ACCEPT_S = 5.0
MAX_TASKS = 64
# So often a sign of life is asked for while it may stay away: one that is lost or late ends nothing.
SIGNS_IN_SILENCE = 3


class Context:
    """One run of a handler, capability or timer of an agent; `event` is what caused it."""

    def __init__(self, exchange: Exchange, memory: Recollection, tasks: set[asyncio.Task[Any]],
                 body: Body | None, event: Event | None = None, call_id: str = '',
                 config: BaseModel | None = None, directory: Callable[[], Directory] = Directory) -> None:
        self.event = event
        self.call_id = call_id
        self.acted_ns = 0
        self._exchange = exchange
        self._memory = memory
        self._tasks = tasks
        self._body = body
        self._config = config
        self._directory = directory

    @property
    def agent(self) -> str:
        """The agent's name."""
        return self._exchange.name

    @property
    def clock(self) -> Clock:
        """The robot's time."""
        return self._exchange.clock

    @property
    def config(self) -> Any:
        """The agent's settings, of the class it was declared with."""
        if self._config is None:
            raise ConfigError(f'{self.agent!r} has no settings; declare it as Agent({self.agent!r}, config=Settings())')
        return self._config

    @property
    def log(self) -> logging.Logger:
        """The agent's log."""
        return logging.getLogger(f'loom.agents.{self.agent}')

    @property
    def body(self) -> Body:
        """The robot's senses and wheels; DeviceError where this host has none."""
        if self._body is None:
            raise DeviceError(f'{self.agent!r} needs a body and its host has none; run it in the agent_host node')
        self._acts()
        return self._body

    def agents(self, capability: str = '', topic: str = '', state: str = ACTIVE) -> tuple[AgentCard, ...]:
        """The agents that can do this and listen to this event type; `state`: active, inactive, gone, '' for any."""
        return self._directory().find(capability, topic, state)

    async def emit(self, type: str, data: Any = None, delivery: Delivery = REALTIME, **fields: Any) -> Event:
        """Tells everybody that something happened."""
        event = self._compose(type, data, **fields)
        self._exchange.bus.publish(event, delivery)
        return event

    async def request(self, agent: str, type: str, data: Any = None, timeout_s: float = 5.0,
                      silence_s: float = 0.0, on_start: Callable[[], None] | None = None) -> Any:
        """Asks one agent and waits for what its handler returns; AgentError says why it failed.

        DeadlineError after `timeout_s`, or as soon as whoever works on it gave no sign of life for `silence_s` (0: no
        such limit); `on_start` is called at the first. Whoever was asked is told when this ends early, and its handler
        is cancelled.
        """
        beat = {BEAT: f'{silence_s / SIGNS_IN_SILENCE:.3f}'} if silence_s else {}
        question = self._compose(type, data, reply_to=self.agent, metadata=beat)
        try:
            answer = await self._exchange.ask(agent, question, timeout_s, silence_s=silence_s, on_start=on_start)
        except (asyncio.CancelledError, DeadlineError):
            self._exchange.withdraw(agent, question)
            raise
        return answer_of(agent, answer)

    def tell(self, agent: str, type: str, data: Any = None, **fields: Any) -> None:
        """Puts an event into the mailbox of one agent."""
        self._exchange.bus.send(agent, self._compose(type, data, **fields))

    def arrive(self, barrier: str) -> AbstractContextManager[set[str]]:
        """While in `with`, this agent has arrived there; gives the agents that waited for it."""
        return self._exchange.meetings.arrived(barrier)

    async def think(self, prompt: str, event: Event | None = None, *, task: str = 'think', deadline_s: float = 5.0,
                    local_only: bool = False, **context: Any) -> Answer:
        """Asks a model; ModelError where none can answer, DeadlineError after `deadline_s`."""
        if event is not None:
            context = {'event': {'type': event.type, 'data': event.data}, **context}
        data = {'task': task, 'prompt': prompt, 'context': context, 'deadline_s': deadline_s, 'local_only': local_only}
        # A router that was started anew hears what the one before was asked, and can't know what that one answered.
        fresh_ns = self.clock.now_ns() + round(UNTAKEN_S * NANOSECONDS)
        question = self._compose('model.infer', data, reply_to=self.agent, expires_ns=fresh_ns)
        answer = (await self._exchange.ask(ROUTER, question, deadline_s)).data
        if answer['error_code']:
            raise ModelError(answer['error_msg'], answer['error_code'])
        return Answer(answer['text'], answer['backend'], answer['confidence'])

    async def act(self, capability: str, /, *, deadline_s: float = 0.0, **arguments: Any) -> Any:
        """Calls a capability and waits for its result; CapabilityError says why not. Cancelling this cancels it."""
        call = self._call(capability, arguments, deadline_s)
        try:
            answer = await self._exchange.ask(BROKER, call, (deadline_s or MAX_TIMEOUT_S) + 1.0, ACCEPT_S)
        except asyncio.CancelledError:
            self._cancel(call)
            raise
        return _result(answer)

    async def stream(self, capability: str, /, *, deadline_s: float = 0.0, **arguments: Any) -> AsyncIterator[Any]:
        """The values that a capability gives one by one, as they come; leaving early cancels it.

        CapabilityError where it fails, DeadlineError where nobody takes the call or it takes too long.
        """
        call = self._call(capability, arguments, deadline_s)
        given = 0
        try:
            async with aclosing(self._exchange.follow(BROKER, call, (deadline_s or MAX_TIMEOUT_S) + 1.0)) as news:
                async for event in news:
                    if event.type == 'capability.result':
                        for value in _result(event)[given:]:
                            yield value
                    elif event.data.get('index') == given:
                        given += 1
                        yield event.data['value']
        except (asyncio.CancelledError, GeneratorExit):
            self._cancel(call)
            raise

    async def remember(self, key: str, value: Any) -> None:
        """Keeps a value for this agent; plain JSON outlives this process where a memory server runs.

        StateError or DeadlineError where the server could not keep it.
        """
        await self._memory.put(key, value, self.event)

    def recall(self, key: str, default: Any = None) -> Any:
        """The value kept under `key`."""
        return self._memory.get(key, default)

    def listen(self, pattern: str) -> Listener:
        """Collects events of a declared pattern: `with ctx.listen('speaker.said') as said: await said.next(5.0)`."""
        return self._exchange.listen(pattern)

    async def feedback(self, status: str, progress: float = -1.0, **values: Any) -> None:
        """Tells the caller of this capability how far it is; progress from 0 to 1, negative: unknown."""
        if self.call_id and self.event is not None:
            data = {'status': status, 'progress': progress, **values}
            self._exchange.bus.send(self.event.reply_to, self._compose(
                'capability.feedback', data, correlation_id=self.call_id))

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Goes on with `work` beside the next events; it ends with the host. CapabilityError 106 above 64 at once."""
        if len(self._tasks) >= MAX_TASKS:
            work.close()
            raise CapabilityError(f'{self.agent!r} goes on with at most {MAX_TASKS} things at once; try later', BUSY)
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _call(self, capability: str, arguments: dict[str, Any], deadline_s: float) -> Event:
        data = {'name': capability, 'arguments': arguments, 'timeout_s': deadline_s}
        return self._compose('capability.call', data, reply_to=self.agent)

    def _cancel(self, call: Event) -> None:
        self._exchange.bus.send(BROKER, self._exchange.compose(call, 'capability.cancel', {'call_id': call.id}))

    def _compose(self, type: str, data: Any, **fields: Any) -> Event:
        self._acts()
        return self._exchange.compose(self.event, type, data, **fields)

    def _acts(self) -> None:
        # When it first turned to the world says how late it may begin and still be in time.
        self.acted_ns = self.acted_ns or self.clock.now_ns()


def _result(answer: Event) -> Any:
    result = answer.data
    if result['error_code']:
        raise CapabilityError(result['error_msg'], result['error_code'])
    return result['result']
