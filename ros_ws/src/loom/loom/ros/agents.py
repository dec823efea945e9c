"""The agents of a node: a host with the robot's body, voice and journals, and how each agent is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from hashlib import sha256

from loom.agents import catalogue
from loom.agents.directory import Directory
from loom.agents.host import AgentHost
from loom.agents.journal import journal_folder
from loom.core.event import new_id
from loom.ros.body import RosBody
from loom.ros.node import ERROR, OK, WARN, LoomNode, Part
from loom.sense.virtual_sound import VirtualSound
from loom.sense.voice import say_into_room


def host_of(node: LoomNode, directory: Callable[[], Directory]) -> AgentHost:
    """The host of the agents that the node's settings name, not started yet; ConfigError where one is not there."""
    config, robot = node.config, node.get_namespace()
    say = partial(say_into_room, sound=VirtualSound(robot))
    agents = catalogue.crew(config.agents, config.mission, say if config.missions else None)
    return AgentHost(node.bus, node.clock_source, *agents, body=RosBody(node) if config.body else None,
                     memory=config.memory, settings=config.settings, journal=journal_folder(config.journal, robot),
                     directory=directory)


def start_mission(host: AgentHost, name: str) -> None:
    """Has a mission carried out once in each launch of the robot, whatever is started again meanwhile."""
    launch = os.environ.get('LOOM_LAUNCH') or new_id()
    host.tell(name, 'mission.start', {'mission': name}, id=sha256(f'{launch} {name}'.encode()).hexdigest()[:32])


def parts_of(host: AgentHost) -> Iterable[Part]:
    """What each agent handled, dropped and failed at."""
    failing = host.failing()
    for name, counts in host.counts().items():
        level = ERROR if name in failing else WARN if counts.get('failed') or counts['dropped'] else OK
        yield Part(name, level, failing.get(name, ''), {key: str(count) for key, count in counts.items()})
