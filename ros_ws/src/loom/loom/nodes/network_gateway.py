"""network_gateway: programs on this machine that know no ROS send and hear events by HTTP and WebSocket."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from loom.core.config import NodeConfig
from loom.core.errors import ConfigError
from loom.core.patterns import check_pattern
from loom.ros.node import OK, LoomNode, Part
from loom.ros.process import run
from loom.sense.network import Door, Gateway
from loom.sense.wire import loopback

DEFAULT_PORT = 8770


class NetworkGatewayConfig(NodeConfig):
    """Settings of the network gateway."""

    host: str = Field('127.0.0.1', min_length=1, description='Address to listen on; loopback only.')
    port: int = Field(DEFAULT_PORT, ge=0, le=65535,
                      description='Port to listen on; 0 takes any free one, as the default does in a namespace.')
    token: str = Field('', max_length=200, description='If set, clients send it as Authorization: Bearer.')
    rate_hz: float = Field(100.0, gt=0, le=10000, description='Requests a second of one client, at most.')
    max_clients: int = Field(16, ge=1, le=256, description='WebSockets at a time.')
    allowed_types: tuple[str, ...] = Field(('**',), description='Patterns of event types that clients may send.')


class NetworkGateway(LoomNode):
    """Serves events over HTTP."""

    Config = NetworkGatewayConfig
    config: NetworkGatewayConfig

    def configure(self) -> None:
        """Checks the settings."""
        config, namespaced = self.config, self.get_namespace() != '/'
        for pattern in config.allowed_types:
            check_pattern(pattern)
        if not config.allowed_types:
            raise ConfigError('allowed_types must name at least one pattern, like text.*')
        loopback(config.host)
        port = 0 if namespaced and config.port == DEFAULT_PORT else config.port
        self._door = Door(config.host, port, config.token, config.rate_hz, config.max_clients, config.allowed_types)
        self.every(1.0, lambda: self._gateway.check(), steady=True)

    def activate(self) -> None:
        """Listens."""
        self._gateway = Gateway(self.bus, self.clock_source, self.call_soon, self._door)
        self._gateway.start()

    def deactivate(self) -> None:
        """Ends all connections."""
        self._gateway.stop()

    def diagnose(self) -> Iterable[Part]:
        """Address, clients, counts."""
        counts = {name: str(count) for name, count in self._gateway.counts.items()}
        yield Part('listener', OK, f'http://{self.config.host}:{self._gateway.port}/events',
                   {'port': str(self._gateway.port), 'clients': str(len(self._gateway.clients)), **counts})


def main() -> None:
    """Runs the node."""
    run(NetworkGateway)


if __name__ == '__main__':
    main()
