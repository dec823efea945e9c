"""action_broker: every call of a capability goes through here, from agents and from the action `invoke`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from loom_msgs.msg import Directory
from pydantic import Field

from loom.act.broker import ActionBroker as Broker
from loom.agents.directory import capabilities
from loom.core.config import NodeConfig
from loom.core.delivery import STATE
from loom.ros.capability_action import CapabilityAction
from loom.ros.directory import cards_of
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
        """Declares the directory and the action; the mailbox is open while active."""
        self._broker = Broker(self.bus, self.clock_source)
        self._action = CapabilityAction(self, self._broker)
        self.subscribe(Directory, 'loom/directory', self._on_directory, replace(STATE, depth=32))
        self.every(1 / self.config.rate_hz, self._tick, steady=True)

    def activate(self) -> None:
        """Begins to take calls."""
        self._broker.open()

    def deactivate(self) -> None:
        """Cancels what runs."""
        self._broker.close()

    def diagnose(self) -> Iterable[Part]:
        """Calls so far and what can be called."""
        counts = {name: str(count) for name, count in self._broker.counts.items()}
        yield Part('calls', OK, '', {**counts, 'capabilities': ', '.join(self._broker.capabilities())})

    def _on_directory(self, message: Directory) -> None:
        self._broker.update(message.host, tuple(capabilities(cards_of(message)).values()))

    def _tick(self) -> None:
        self._action.tick()
        self._broker.tick()


def main() -> None:
    """Runs the node."""
    run(ActionBroker)


if __name__ == '__main__':
    main()
