"""A guest on the robot's graph that keeps it busy and notes when each node handles something."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from loom_msgs.msg import Health, SafetyDecision
from nav_msgs.msg import OccupancyGrid
from rosgraph_msgs.msg import Clock
from tf2_msgs.msg import TFMessage

from loom import Agent, Context
from loom.agents.host import AgentHost
from loom.core.delivery import BATCHED, SENSOR, STATE
from loom.core.event import Event
from loom.ros.client import RobotClient
from loom.ros.qos import subscription_profile

NAME = 'recover_guest'
TICK_S, PROBE_S, DEED_S, DEED_S_MOST = 0.02, 0.05, 0.2, 10.0
# What is still on its way from a node that was just killed.
FLIGHT_S = 0.15
# A process lives on for a moment after SIGKILL was sent.
KILL_S = 0.01
TOPICS: dict[str, tuple[str, Any, Any]] = {
    'simulator': ('clock', Clock, SENSOR), 'safety': ('loom/motion/decision', SafetyDecision, SENSOR),
    'robot_state': ('tf', TFMessage, SENSOR), 'map_server': ('map', OccupancyGrid, STATE),
    'diagnostics_aggregator': ('/diagnostics_agg', DiagnosticArray, SENSOR),
    'supervisor': ('loom/health', Health, STATE)}
PROBES: dict[str, tuple[str, Any]] = {
    'action_broker': ('capability.call', {'name': 'none', 'arguments': {}, 'timeout_s': -1.0}),
    'model_router': ('model.infer', {'task': 'parse', 'prompt': 'stop', 'context': {}, 'deadline_s': 5.0,
                                     'local_only': True}),
    'memory_server': ('memory.retrieve', {'state': {}})}


class Guest:
    """Publishes ticks, calls deeds and asks servers, in threads of its own, until close()."""

    def __init__(self, client: RobotClient, hosts: tuple[str, ...]) -> None:
        self.client, self.hosts = client, hosts
        self.sent_s: list[float] = []
        self.echoes: dict[str, Counter[int]] = {host: Counter() for host in hosts}
        self.handled_s: dict[str, float] = {}
        self.states: dict[str, str] = {}
        self.level = Health.DOWN
        self.deeds: dict[str, str] = {}
        self.lock = threading.Lock()
        self._by: dict[str, str] = {}
        self._asked: dict[str, tuple[str, float]] = {}
        self._killed: dict[str, float] = {}
        self._awaited: set[str] = set()
        self._ended = threading.Event()
        self._begun = 0
        bus, node = client.bus, client.node
        self._subscriptions = [bus.subscribe('load.echo.*', self._echoed, BATCHED), bus.receive(NAME, self._answered)]
        for name, (topic, kind, delivery) in TOPICS.items():
            node.create_subscription(kind, topic, lambda message, name=name: self._seen(name),
                                     subscription_profile(delivery))
        node.create_subscription(Health, 'loom/health', self._health, subscription_profile(STATE))
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._tick, self._probe)]
        self._host = AgentHost(client.bus, client.clock, self._caller(), memory='')

    def start(self) -> None:
        """Begins the load."""
        self._host.start()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Ends the load."""
        self._ended.set()
        for thread in self._threads:
            thread.join(15.0)
        deadline_s = time.monotonic() + DEED_S_MOST
        while self._begun > len(self.deeds) and time.monotonic() < deadline_s:
            time.sleep(0.05)
        self._host.stop()

    def killed(self, node: str) -> float:
        """Notes the moment; from now on only what a new incarnation does counts for this node."""
        with self.lock:
            self.handled_s.pop(node, None)
            self.states[node] = 'killed'
            self._awaited.add(node)
            self._killed[node] = time.monotonic()
            return self._killed[node]

    def _tick(self) -> None:
        due_s = time.monotonic()
        while not self._ended.is_set():
            self.sent_s.append(time.monotonic())
            self._publish('load.tick', {'n': len(self.sent_s) - 1})
            due_s += TICK_S
            self._ended.wait(max(due_s - time.monotonic(), 0.0))

    def _probe(self) -> None:
        while not self._ended.wait(PROBE_S):
            for server, (kind, data) in PROBES.items():
                event = Event.create(kind, data, source=NAME, sender=NAME, reply_to=NAME,
                                     stamp_ns=self.client.clock.now_ns())
                with self.lock:
                    self._asked[event.id] = (server, time.monotonic())
                    while len(self._asked) > 2000:
                        del self._asked[next(iter(self._asked))]
                self.client.bus.send(server, event)

    def _caller(self) -> Agent:
        agent = Agent('recover_caller')

        @agent.every(DEED_S)
        async def call(ctx: Context) -> None:
            if not self._ended.is_set():
                host = self.hosts[self._begun % len(self.hosts)]
                self._begun += 1
                ctx.spawn(self._deed(ctx, host, f'{host}:{self._begun}'))
        return agent

    async def _deed(self, ctx: Context, host: str, key: str) -> None:
        try:
            await ctx.act(f'deed_{host}', deadline_s=DEED_S_MOST, key=key)
            answer = 'done'
        except Exception as error:
            answer = f'{type(error).__name__}: {error}'
        with self.lock:
            self.deeds[key] = answer

    def _publish(self, kind: str, data: Any) -> None:
        self.client.bus.publish(Event.create(kind, data, source=NAME, sender=NAME,
                                             stamp_ns=self.client.clock.now_ns()), BATCHED)

    def _echoed(self, event: Event) -> None:
        host = event.type.rpartition('.')[2]
        with self.lock:
            self.echoes[host][event.data['n']] += 1
            if self._by.get(host) != event.data['by']:
                self._by[host] = event.data['by']
                self.handled_s.setdefault(f'{host}_host', time.monotonic())

    def _answered(self, event: Event) -> None:
        with self.lock:
            server, asked_s = self._asked.get(event.correlation_id, ('', 0.0))
            if server and asked_s > self._killed.get(server, 0.0) + KILL_S:
                self.handled_s.setdefault(server, time.monotonic())

    def _seen(self, node: str) -> None:
        now_s = time.monotonic()
        with self.lock:
            if now_s > self._killed.get(node, 0.0) + FLIGHT_S:
                self.handled_s.setdefault(node, now_s)

    def _health(self, message: Health) -> None:
        with self.lock:
            self.level = message.level
            for node, state in zip(message.nodes, message.states):
                # A report from before the kill may still come after it.
                if state != 'active':
                    self._awaited.discard(node)
                if node not in self._awaited:
                    self.states[node] = state


def unaccounted(sent_s: list[float], echoes: Counter[int], away: list[tuple[float, float]]) -> tuple[int, int]:
    """(ticks that a host never echoed though it was up, ticks that it never echoed)."""
    missing = [n for n in range(len(sent_s)) if not echoes[n]]
    up = [n for n in missing if not any(begin <= sent_s[n] <= end for begin, end in away)]
    return len(up), len(missing)


def windows(kills: list[tuple[str, float, float]]) -> dict[str, list[tuple[float, float]]]:
    """When each node was away: from shortly before its kill until it handled something again."""
    found: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for node, killed_s, handled_s in kills:
        found[node].append((killed_s - 0.3, handled_s + 0.3))
    return found

