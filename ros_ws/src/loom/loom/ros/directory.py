"""The directory of agents on loom/directory: each host latches its own and says it again; who is silent is gone."""

from __future__ import annotations

import json
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from loom_msgs.msg import AgentCard as CardMessage
from loom_msgs.msg import Capability as CapabilityMessage
from loom_msgs.msg import Directory as DirectoryMessage
from rclpy.clock import Clock, ClockType
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.serialization import deserialize_message

from loom.act.capability import Capability
from loom.agents.directory import MAX_HOSTS, AgentCard, Directory
from loom.core.delivery import STATE
from loom.core.errors import LoomError
from loom.ros.convert import ns_to_stamp
from loom.ros.node import LoomNode
from loom.ros.qos import subscription_profile

TOPIC = 'loom/directory'
TELL = replace(STATE, lease_s=1.0)
HEAR = replace(TELL, depth=MAX_HOSTS)
LOOK_S = 0.5
# DDS gives a writer that was out of reach back without what it latched, and keeps a process that stands still on the
# graph until its lease is over: hosts say it again, and who does not for so long is gone until it does.
AGAIN_S = 0.5
SILENT_S = 1.25
MAX_WRITERS = 4 * MAX_HOSTS
UNKNOWN = '_NODE_NAME_UNKNOWN_'


class DirectoryReader:
    """Keeps the directory until close(), on the thread of the node's executor; any thread may read `directory`."""

    def __init__(self, node: Node, on_change: Callable[[Directory], None] = lambda _: None) -> None:
        self.directory = Directory()
        self._on_change = on_change
        # Names of the hosts of the writers ever seen, by the numbers that DDS gave them; empty: not known yet.
        self._writers: OrderedDict[bytes, str] = OrderedDict()
        self._seen: set[str] = set()
        self._heard_s: dict[str, float] = {}
        # What each host said last, as it came: most messages say the same again.
        self._said: dict[bytes, str] = {}
        self._looked_s = time.monotonic()
        self._open(node)

    def close(self) -> None:
        """Ends reading; what was read stays."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_subscription(self._subscription)

    def carry_on(self, node: Node) -> None:
        """Goes on as part of another node."""
        self.close()
        self._open(node)

    def _open(self, node: Node) -> None:
        self._node = node
        # A host that goes is news of the directory, and no fault of the topic.
        self._subscription = node.create_subscription(DirectoryMessage, TOPIC, self._hear, subscription_profile(HEAR),
                                                      event_callbacks=SubscriptionEventCallbacks(), raw=True)
        self._timer = node.create_timer(LOOK_S, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _hear(self, data: bytes) -> None:
        known = self.directory.hosts.get(self._said.get(data, ''))
        if known and known.up:
            self._heard_s[known.name] = time.monotonic()
            return
        host = 'unknown'
        try:
            message = deserialize_message(data, DirectoryMessage)
            host = message.host
            self._become(self.directory.update(host, message.incarnation, cards_of(message), message.order))
        except (LoomError, ValueError, RuntimeError) as error:
            self._node.get_logger().error(f'what host {host!r} tells of its agents is left out: {error}',
                                          throttle_duration_sec=5.0)
            return
        known = self.directory.hosts[host]
        if (known.incarnation, known.order) == (message.incarnation, message.order):
            self._heard_s[host] = time.monotonic()
            self._said = {**{said: by for said, by in self._said.items() if by != host}, data: host}

    def _look(self) -> None:
        now_s = time.monotonic()
        # While this process stood still itself, it heard nobody.
        asleep_s = max(now_s - self._looked_s - LOOK_S, 0.0)
        self._looked_s = now_s
        self._heard_s = {host: self._heard_s.get(host, now_s) + asleep_s for host in self.directory.hosts}
        self._said = {said: host for said, host in self._said.items() if host in self.directory.hosts}
        self._judge({host for host, heard_s in self._heard_s.items() if now_s - heard_s > SILENT_S})
        # What is heard of but was never seen to be there until now is gone at the next look.
        self._seen.update(self.directory.missing(()))

    def _judge(self, silent: set[str]) -> None:
        """Finds who is gone: the silent, and hosts that were there and are not, as far as the writers have names."""
        found = {bytes(info.endpoint_gid): info.node_name for info in self._node.get_publishers_info_by_topic(TOPIC)}
        for writer, name in found.items():
            self._writers[writer] = self._writers.get(writer, '') if name == UNKNOWN else name
            self._writers.move_to_end(writer)
        while len(self._writers) > MAX_WRITERS:
            self._writers.popitem(last=False)
        names = [self._writers.get(writer, '') for writer in found]
        # The graph may know of a writer later than its message is there.
        gone = self._seen.intersection(_gone(self.directory, names)) | silent
        self._seen = self._seen.union(names) - gone
        directory = self.directory
        for host in gone:
            directory = directory.gone(host)
        self._become(directory)

    def _become(self, directory: Directory) -> None:
        if directory != self.directory:
            self.directory = directory
            self._on_change(directory)


class _SharedReader:
    """One reader for all open hosts of an executor, which hear the same; it is part of the one that opened first."""

    _all: ClassVar[dict[tuple[object, str], _SharedReader]] = {}

    def __init__(self, key: tuple[object, str], node: LoomNode) -> None:
        self._key = key
        self._reader = DirectoryReader(node)
        self._nodes: list[LoomNode] = []

    @classmethod
    def join(cls, node: LoomNode) -> _SharedReader:
        """The reader of the node's executor, which is kept until `leave`."""
        key = node.executor or node, node.resolve_topic_name(TOPIC)
        shared = cls._all.get(key)
        if shared is None:
            shared = cls._all[key] = cls(key, node)
        shared._nodes.append(node)
        return shared

    def leave(self, node: LoomNode) -> None:
        """The node needs it no longer."""
        first = self._nodes[0] is node
        self._nodes.remove(node)
        if not self._nodes:
            self._reader.close()
            del self._all[self._key]
        elif first:
            self._reader.carry_on(self._nodes[0])

    @property
    def directory(self) -> Directory:
        """What it has heard."""
        return self._reader.directory


class HostDirectory:
    """What a host tells of its agents, and what it hears of all others; made in configure, open while active."""

    def __init__(self, node: LoomNode, cards: Callable[[], tuple[AgentCard, ...]]) -> None:
        self._node = node
        self._cards = cards
        self._told: tuple[AgentCard, ...] | None = None
        self._message = DirectoryMessage()
        self._again_s = 0.0
        self._publisher = node.publisher(DirectoryMessage, TOPIC, TELL)
        self._reader: _SharedReader | None = None
        node.every(LOOK_S, self._tell, steady=True)

    def now(self) -> Directory:
        """All agents of all hosts, as far as this host knows; any thread may ask."""
        reader = self._reader
        return reader.directory if reader else Directory()

    def open(self) -> None:
        """Tells of the agents, and again whenever they change; begins to hear of the others."""
        self._reader = _SharedReader.join(self._node)
        self._tell()

    def close(self) -> None:
        """Tells how the agents ended, and hears no more."""
        self._tell()
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.leave(self._node)

    def _tell(self) -> None:
        cards = self._cards()
        now_s = time.monotonic()
        if cards != self._told:
            self._told = cards
            self._message = directory_of(self._node.get_name(), cards, self._node.clock_source.now_ns())
        elif now_s < self._again_s:
            return
        self._again_s = now_s + AGAIN_S
        self._publisher.publish(self._message)


def directory_of(host: str, cards: Iterable[AgentCard], stamp_ns: int) -> DirectoryMessage:
    """The agents of one host as they are published."""
    return DirectoryMessage(
        stamp=ns_to_stamp(stamp_ns), host=host, incarnation=_incarnation(), order=time.monotonic_ns(),
        agents=[CardMessage(id=card.id, node=host, state=card.state, listens=list(card.listens),
                            capabilities=[_message(capability) for capability in card.capabilities])
                for card in cards])


def cards_of(message: DirectoryMessage) -> tuple[AgentCard, ...]:
    """The agents that a message tells of; ValueError where a schema is no JSON."""
    return tuple(AgentCard(card.id, card.state, tuple(card.listens), tuple(_value(c) for c in card.capabilities))
                 for card in message.agents)


def directory_from(messages: Iterable[DirectoryMessage], node: Node) -> Directory:
    """The directory that messages heard just now make, with those gone whose host is not on the graph of the node."""
    directory = Directory()
    for message in messages:
        directory = directory.update(message.host, message.incarnation, cards_of(message), message.order)
    names = [info.node_name for info in node.get_publishers_info_by_topic(TOPIC)]
    for host in _gone(directory, ['' if name == UNKNOWN else name for name in names]):
        directory = directory.gone(host)
    return directory


def _gone(directory: Directory, names: list[str]) -> tuple[str, ...]:
    missing = directory.missing(names)
    # A writer is there before the name of its node is: it may be that of any host that is missed.
    return missing if len(missing) > names.count('') else ()


def _incarnation() -> str:
    given = os.environ.get('LOOM_INCARNATION', '')
    # A process that nobody numbered is told from others by its number and when it began.
    began = Path('/proc/self/stat').read_text().rpartition(')')[2].split()[19]
    return given or f'{int(began):08x}{os.getpid():08x}'


def _message(c: Capability) -> CapabilityMessage:
    return CapabilityMessage(name=c.name, agent=c.agent, description=c.description, schema=json.dumps(c.schema),
                             timeout=c.timeout_s, result=json.dumps(c.result), streams=c.streams,
                             idempotent=c.idempotent)


def _value(c: CapabilityMessage) -> Capability:
    return Capability(c.name, c.agent, c.description, json.loads(c.schema), c.timeout, json.loads(c.result or '{}'),
                      c.streams, c.idempotent)
