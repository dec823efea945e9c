"""agent_host: runs agents, tells the directory of them, and gives them the robot's body."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from loom.core.config import NodeConfig
from loom.ros.agents import host_of, parts_of, start_mission
from loom.ros.directory import HostDirectory
from loom.ros.goal_pose import GoalPose
from loom.ros.latency import LatencyTopic
from loom.ros.node import LoomNode, Part
from loom.ros.process import run


class AgentHostConfig(NodeConfig):
    """Which agents run here."""

    agents: tuple[str, ...] = Field(('navigator', 'commander', 'lookout', 'speaker'),
                                    description='Ready agents by name, others as module:attribute.')
    memory: str = Field('memory_server', description='Mailbox of the memory; empty: agents remember while they live.')
    journal: str = Field('auto', description='Folder of the journals; auto: $XDG_STATE_HOME/loom/journal; empty: none.')
    settings: tuple[str, ...] = Field((), description='Settings of agents, each as agent.field=value.')
    body: bool = Field(True, description='Give the agents the senses and wheels of the robot.')
    missions: bool = Field(True, description='Offer the missions, and drive to goals from rviz: one host of a robot.')
    mission: str = Field('', description='Mission to carry out once, e.g. fetch_report; empty: none.')


class AgentHost(LoomNode):
    """Agents live on a thread of their own; this node only carries messages to and from them."""

    Config = AgentHostConfig
    config: AgentHostConfig

    def configure(self) -> None:
        """Loads the agents and declares the senses."""
        self._host = host_of(self, lambda: self._directory.now())
        self._directory = HostDirectory(self, self._host.cards)
        if self.config.missions:
            GoalPose(self)
        LatencyTopic(self, self._host.ledger)

    def activate(self) -> None:
        """Starts the agents, then the mission."""
        self._host.start()
        self._directory.open()
        if self.config.mission:
            start_mission(self._host, self.config.mission)

    def deactivate(self) -> None:
        """Ends the agents within a second."""
        self._host.stop()
        self._directory.close()

    def diagnose(self) -> Iterable[Part]:
        """How each agent is."""
        return parts_of(self._host)

    def fault(self) -> str:
        """Why this host must be started anew: an agent fails again and again, or their loop hangs."""
        return self._host.fault() if hasattr(self, '_host') else ''


def main() -> None:
    """Runs the node."""
    run(AgentHost)


if __name__ == '__main__':
    main()
