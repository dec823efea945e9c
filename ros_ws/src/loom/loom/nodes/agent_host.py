"""agent_host: runs agents, tells the directory of them, and gives them the robot's body."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from loom_msgs.msg import Directory
from pydantic import Field

from loom.agents import catalogue
from loom.agents.host import AgentHost as Host
from loom.core.config import NodeConfig
from loom.core.delivery import STATE
from loom.ros.body import RosBody
from loom.ros.directory import directory_of
from loom.ros.goal_pose import GoalPose
from loom.ros.latency import LatencyTopic
from loom.ros.node import OK, WARN, LoomNode, Part
from loom.ros.process import run
from loom.sense.virtual_sound import VirtualSound
from loom.sense.voice import say_into_room


class AgentHostConfig(NodeConfig):
    """Which agents run here."""

    agents: tuple[str, ...] = Field(('navigator', 'commander', 'lookout', 'speaker'),
                                    description='Ready agents by name, others as module:attribute.')
    memory: str = Field('memory_server', description='Mailbox of the memory; empty: agents remember while they live.')
    settings: tuple[str, ...] = Field((), description='Settings of agents, each as agent.field=value.')
    mission: str = Field('', description='Mission to carry out once, e.g. fetch_report; empty: none.')


class AgentHost(LoomNode):
    """Agents live on a thread of their own; this node only carries messages to and from them."""

    Config = AgentHostConfig
    config: AgentHostConfig

    def configure(self) -> None:
        """Loads the agents and declares the senses."""
        say = partial(say_into_room, sound=VirtualSound(self.get_namespace()))
        agents = catalogue.crew(self.config.agents, self.config.mission, say)
        self._host = Host(self.bus, self.clock_source, *agents, body=RosBody(self), memory=self.config.memory,
                          settings=self.config.settings)
        self._directory = self.publisher(Directory, 'loom/directory', STATE)
        GoalPose(self)
        LatencyTopic(self, self._host.ledger)

    def activate(self) -> None:
        """Starts the agents, then the mission."""
        self._host.start()
        self._tell()
        if self.config.mission:
            self._host.tell(self.config.mission, 'mission.start', {'mission': self.config.mission})

    def deactivate(self) -> None:
        """Ends the agents within a second."""
        self._host.stop()
        self._tell()

    def diagnose(self) -> Iterable[Part]:
        """What each agent handled, dropped and failed at."""
        for name, counts in self._host.counts().items():
            bad = counts.get('failed', 0) or counts['dropped']
            yield Part(name, WARN if bad else OK, '', {key: str(count) for key, count in counts.items()})

    def _tell(self) -> None:
        self._directory.publish(directory_of(self.get_name(), self._host.cards(), self.clock_source.now_ns()))


def main() -> None:
    """Runs the node."""
    run(AgentHost)


if __name__ == '__main__':
    main()
