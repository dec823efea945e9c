"""action_broker: every call of a capability goes through here, from agents and from the action `invoke`."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from loom.act.broker import SETTLE_S
from loom.act.broker import ActionBroker as Broker
from loom.agents.directory import Directory, capabilities
from loom.core.config import NodeConfig
from loom.ros.capability_action import CapabilityAction
from loom.ros.directory import DirectoryReader
from loom.ros.node import OK, LoomNode, Part
from loom.ros.process import run


class ActionBrokerConfig(NodeConfig):
    """Settings of the broker."""

    rate_hz: float = Field(20.0, ge=5, le=100, description='Checks a second for deadlines and cancelled goals.')


class ActionBroker(LoomNode):
    """Knows from loom/directory who can do what."""

    Config = ActionBrokerConfig
    config: ActionBrokerConfig

    def configure(self) -> None:
        """Declares the action; mailbox and directory are open while active."""
        self._broker = Broker(self.bus, self.clock_source, SETTLE_S)
        self._action = CapabilityAction(self, self._broker)
        self.every(1 / self.config.rate_hz, self._tick, steady=True)

    def activate(self) -> None:
        """Begins to take calls."""
        self._directory = DirectoryReader(self, self._on_directory)
        self._broker.open()

    def deactivate(self) -> None:
        """Cancels what runs."""
        self._broker.close()
        self._directory.close()
        for host in self._directory.directory.hosts:
            self._broker.update(host, ())

    def diagnose(self) -> Iterable[Part]:
        """Calls so far and what can be called."""
        counts = {name: str(count) for name, count in self._broker.counts.items()}
        yield Part('calls', OK, '', {**counts, 'capabilities': ', '.join(self._broker.capabilities())})

    def _on_directory(self, directory: Directory) -> None:
        for host in directory.hosts.values():
            told = () if host.up else tuple(c for card in host.told for c in card.capabilities)
            self._broker.update(host.name, tuple(capabilities(host.cards).values()), told)

    def _tick(self) -> None:
        self._action.tick()
        self._broker.tick()


def main() -> None:
    """Runs the node."""
    run(ActionBroker)


if __name__ == '__main__':
    main()
