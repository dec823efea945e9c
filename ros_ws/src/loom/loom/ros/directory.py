"""The directory of agents between values and messages."""

from __future__ import annotations

import json
from collections.abc import Iterable

from loom_msgs.msg import AgentCard as CardMessage
from loom_msgs.msg import Capability as CapabilityMessage
from loom_msgs.msg import Directory

from loom.act.capability import Capability
from loom.agents.directory import AgentCard
from loom.ros.convert import ns_to_stamp


def directory_of(host: str, cards: Iterable[AgentCard], stamp_ns: int) -> Directory:
    """The agents of one host as they are published."""
    return Directory(stamp=ns_to_stamp(stamp_ns), host=host, agents=[
        CardMessage(id=card.id, node=host, state=card.state, listens=list(card.listens),
                    capabilities=[_message(capability) for capability in card.capabilities]) for card in cards])


def cards_of(directory: Directory) -> tuple[AgentCard, ...]:
    """The agents that a message tells of."""
    return tuple(AgentCard(card.id, card.state, tuple(card.listens), tuple(_value(c) for c in card.capabilities))
                 for card in directory.agents)


def _message(c: Capability) -> CapabilityMessage:
    return CapabilityMessage(name=c.name, agent=c.agent, description=c.description, schema=json.dumps(c.schema),
                             timeout=c.timeout_s, result=json.dumps(c.result), streams=c.streams)


def _value(c: CapabilityMessage) -> Capability:
    return Capability(c.name, c.agent, c.description, json.loads(c.schema), c.timeout, json.loads(c.result or '{}'),
                      c.streams)
