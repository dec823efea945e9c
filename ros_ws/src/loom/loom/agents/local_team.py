"""LocalTeam: agents in this process, on a bus of their own, with broker and models; for tests and examples."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from loom.act.broker import ActionBroker
from loom.agents.agent import Agent
from loom.agents.context import Context
from loom.agents.host import AgentHost
from loom.core.clock import Clock, SystemClock
from loom.core.errors import DeadlineError
from loom.core.event import Event
from loom.core.local_bus import LocalBus
from loom.core.patterns import check_pattern, matches
from loom.reason.backend import Backend
from loom.reason.router import ModelRouter
from loom.reason.server import ModelServer

if TYPE_CHECKING:
    from loom.act.body import Body

Result = TypeVar('Result')
OUTSIDE = 'local_team'
WAIT_S = 5.0
MAX_HEARD = 10_000
POLL_S = 0.005


class LocalTeam:
    """Runs agents while in `with`; what they emit is kept, and outsiders can emit, ask and act.

    `backends` are the models that `ctx.think` reaches, `settings` are as `guard.rate_hz=2`.
    """

    def __init__(self, *agents: Agent, backends: Sequence[Backend] = (), clock: Clock | None = None,
                 body: Body | None = None, settings: Sequence[str] = ()) -> None:
        self.clock = clock or SystemClock()
        self.bus = LocalBus(self.clock)
        self.host = AgentHost(self.bus, self.clock, *agents, Agent(OUTSIDE), body=body, settings=settings)
        self.broker = ActionBroker(self.bus, self.clock)
        self._backends = backends
        self._events: deque[Event] = deque(maxlen=MAX_HEARD)

    def __enter__(self) -> LocalTeam:
        self._router = ModelRouter(self._backends)
        self._models = ModelServer(self.bus, self.clock, self._router)
        self.bus.subscribe('**', self._events.append)
        self.broker.open()
        for card in self.host.cards():
            self.broker.update(card.id, card.capabilities)
        self.host.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.host.stop()
        self.broker.close()
        self._models.close()
        self._router.close()
        self.bus.close()

    def emit(self, type: str, data: Any = None, **fields: Any) -> Event:
        """Tells all agents that something happened."""
        event = Event.create(type, data, source=OUTSIDE, sender=OUTSIDE, stamp_ns=self.clock.now_ns(), **fields)
        self.bus.publish(event)
        return event

    def run(self, work: Callable[[Context], Coroutine[Any, Any, Result]], timeout_s: float = WAIT_S) -> Result:
        """Does what an agent would, `async (ctx)`, from outside; DeadlineError after `timeout_s`."""
        return self.host.run(OUTSIDE, work, timeout_s)

    def request(self, agent: str, type: str, data: Any = None, timeout_s: float = WAIT_S) -> Any:
        """What the handler of an agent answers; AgentError says why it failed."""
        return self.run(lambda ctx: ctx.request(agent, type, data, timeout_s), timeout_s + 1.0)

    def act(self, capability: str, /, *, deadline_s: float = WAIT_S, **arguments: Any) -> Any:
        """What a capability gives; CapabilityError says why not."""
        return self.run(lambda ctx: ctx.act(capability, deadline_s=deadline_s, **arguments), deadline_s + 1.0)

    def heard(self, pattern: str) -> list[Event]:
        """The events that this pattern selects, of the newest 10,000, oldest first."""
        return [event for event in list(self._events) if matches(pattern, event.type)]

    def wait(self, pattern: str, count: int = 1, timeout_s: float = WAIT_S) -> Event:
        """Waits for so many events that this pattern selects and gives the last; DeadlineError after `timeout_s`."""
        check_pattern(pattern)
        deadline = time.monotonic() + timeout_s
        while len(found := self.heard(pattern)) < count:
            if time.monotonic() > deadline:
                others = ', '.join(sorted({event.type for event in list(self._events)})) or 'none'
                raise DeadlineError(f'{len(found)} of {count} {pattern} events came within {timeout_s:g} s; '
                                    f'there were: {others}')
            time.sleep(POLL_S)
        return found[count - 1]
