"""HotSwap: the agents of one file at work, replaced by those of its next version while others go on asking them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from loom.agents.directory import AgentCard
from loom.agents.handover import Handover, Stage
from loom.agents.host import AgentHost
from loom.agents.reload import Program
from loom.core.bus import Bus
from loom.core.clock import Clock
from loom.core.errors import AgentError, LoomError
from loom.core.local_bus import LocalBus

if TYPE_CHECKING:
    from loom.act.body import Body

REST_S = 1.0
# A mailbox that nobody serves: an agent that waits for what it remembers begins nothing else.
NOBODY = 'nobody'


class Site(Protocol):
    """Where agents are to run, and who is told of them."""

    bus: Bus
    clock: Clock
    body: Body | None

    def memory(self) -> str:
        """Mailbox of the memory that is there now; empty: none."""
        ...

    def run(self, work: Callable[[], Any]) -> Any:
        """Does something on the thread on which the bus may get and lose subscriptions."""
        ...

    def attend(self, cards: tuple[AgentCard, ...]) -> None:
        """Tells who is there where that changed; to be called all the time."""
        ...


@dataclass(frozen=True)
class _Running:
    program: Program
    host: AgentHost
    stage: Stage


class HotSwap:
    """Runs one program at a time; replace() lets the next take over, stop() ends the last."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._handover = Handover(site.bus)
        self._now: _Running | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The agents that run."""
        return tuple(agent.name for agent in self._now.program.agents) if self._now else ()

    def cards(self) -> tuple[AgentCard, ...]:
        """The agents as data for the directory."""
        return self._now.host.cards() if self._now else ()

    def replace(self, program: Program) -> str:
        """Lets the agents of a program take over; what was not as it should be, empty: all was.

        Where they can not start, the old ones go on and a LoomError says why. What they are asked and sent while the
        agents change waits for whoever runs then; only a capability that runs on after a second is cancelled.
        """
        old, notice = self._now, ''
        with _told():
            self._rehearse(program)
        self._handover.hold({pattern for agent in (old.program.agents if old else ()) for pattern in agent.listens})
        try:
            if old is not None:
                notice = self._end(old)
            try:
                with _told():
                    self._begin(program)
            except LoomError:
                if old is not None:
                    self._begin(old.program)
                raise
        finally:
            self._site.run(self._handover.release)
        return notice

    def stop(self) -> None:
        """Ends the agents within a second."""
        if self._now is not None:
            self._handover.hold()
            self._end(self._now, 0.0)
            self._site.run(self._handover.release)

    def _rehearse(self, program: Program) -> None:
        """Starts the agents where nobody hears them and no handler or timer begins: what fails, fails here."""
        host = AgentHost(LocalBus(self._site.clock), self._site.clock, *program.agents, memory=NOBODY)
        try:
            host.start()
        finally:
            host.stop()

    def _begin(self, program: Program) -> None:
        stage = Stage(self._handover)
        site = self._site
        host = AgentHost(stage, site.clock, *program.agents, body=site.body, memory=site.memory())
        program.install()
        try:
            site.run(host.start)
        except BaseException:
            host.stop()
            stage.cut()
            program.withdraw()
            raise
        self._now = _Running(program, host, stage)

    def _end(self, old: _Running, rest_s: float = REST_S) -> str:
        rested = not rest_s or old.host.wait_idle(rest_s)
        ended = old.host.stop()
        old.stage.cut()
        old.program.withdraw()
        self._now = None
        names = ', '.join(agent.name for agent in old.program.agents)
        if not ended:
            return f'the old {names} did not end and can not be heard any longer: does a handler block its loop?'
        return '' if rested else f'the old {names} was still at work after {rest_s:g} s and was ended'


@contextmanager
def _told() -> Iterator[None]:
    """What agents that are being written raise in here is an error of theirs."""
    try:
        yield
    except LoomError:
        raise
    except Exception as error:
        raise AgentError(f'{type(error).__name__}: {error}') from error
