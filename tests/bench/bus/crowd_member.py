"""One process of the crowd: a host with agents that each tell ten things and listen to ten of another process."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

from bus.crew import END, RUN, WORDS
from bus.loom_process import spinning
from bus.tally import Tally

from loom.agents.agent import Agent
from loom.agents.context import Context
from loom.agents.host import AgentHost
from loom.core.event import Event
from loom.ros.bus import RosBus
from loom.ros.clock import RosClock
from loom.ros.process import die_with_parent

AGENTS, HOSTS, TOPICS, TOTAL_HZ = 20, 4, 10, 1000.0
# The second counter of `control`: everybody is there.
GO = 1
# The tally: events emitted, handled, out of order, whether it listens, then how many took so many tenths of a ms.
EMITTED, HANDLED, DISORDER, READY, LATENCIES = range(5)
BUCKETS, BUCKET_US = 5000, 100
SIZE = LATENCIES + BUCKETS


def agent(number: int, tally: Tally, control: Tally) -> Agent:
    """Agent `number`: it listens to the one whose number is as much lower as there are agents in a host."""
    made = Agent(f'crowd{number}')
    partner = (number - AGENTS // HOSTS) % AGENTS
    numbers: Counter[str] = Counter()
    heard: dict[str, int] = {}

    @made.every(AGENTS / TOTAL_HZ)
    async def tell(ctx: Context) -> None:
        if control[GO] and control[0] == RUN:
            event_type = f'crowd{number}.topic{numbers.total() % TOPICS}'
            await ctx.emit(event_type, {'number': numbers[event_type], 'text': 'x' * 100})
            numbers[event_type] += 1
            tally.add(EMITTED)

    for topic in range(TOPICS):
        @made.on(f'crowd{partner}.topic{topic}')
        async def note(ctx: Context, event: Event) -> None:
            tenths = (time.time_ns() - event.stamp_ns) // (BUCKET_US * 1000)
            tally.add(LATENCIES + min(max(tenths, 0), BUCKETS - 1))
            tally.add(HANDLED)
            if event.data['number'] != heard.get(event.type, -1) + 1:
                tally.add(DISORDER)
            heard[event.type] = event.data['number']
    return made


def main() -> None:
    """Runs host `argv[1]` until the end."""
    number = int(sys.argv[1])
    control, tally = Tally(Path('control'), WORDS), Tally(Path(f'host{number}.tally'), SIZE)
    die_with_parent()
    share = AGENTS // HOSTS
    with spinning(f'host{number}') as node:
        bus = RosBus(node)
        agents = [agent(index, tally, control) for index in range(number * share, (number + 1) * share)]
        with AgentHost(bus, RosClock(node.get_clock()), *agents) as host:
            tally[READY] = 1
            while control[0] != END:
                time.sleep(0.05)
            print(host.counts(), bus.counts(), flush=True)
        bus.close()


if __name__ == '__main__':
    main()
