"""model_router: agents and tools ask it, and it finds the model that answers."""

from __future__ import annotations

import os
from collections.abc import Iterable

from pydantic import Field

from loom.core.config import NodeConfig
from loom.reason.backend import Backend
from loom.reason.command_parser import CommandParser
from loom.reason.openai_http import OpenAiHttp
from loom.reason.router import ModelRouter as Router
from loom.reason.server import ModelServer
from loom.ros.model_actions import ModelActions
from loom.ros.node import OK, LoomNode, Part
from loom.ros.process import run


class ModelRouterConfig(NodeConfig):
    """Settings of the router; a server's key, where it needs one, is in the environment as LOOM_MODEL_KEY."""

    openai_url: str = Field('', description='Server that speaks the OpenAI protocol, http://127.0.0.1:8080/v1.')
    openai_model: str = Field('default', min_length=1, description='Name of the model on that server.')


class ModelRouter(LoomNode):
    """Knows the backends, first choice first."""

    Config = ModelRouterConfig
    config: ModelRouterConfig

    def configure(self) -> None:
        """Declares service and action; the mailbox is open while active."""
        self._router = Router(self._backends())
        self._actions = ModelActions(self, self._router)

    def _backends(self) -> list[Backend]:
        config = self.config
        key = os.environ.get('LOOM_MODEL_KEY', '')
        remote = [OpenAiHttp(config.openai_url, config.openai_model, key)] if config.openai_url else []
        return [CommandParser(), *remote]

    def activate(self) -> None:
        """Begins to take requests."""
        self._server = ModelServer(self.bus, self.clock_source, self._router)

    def deactivate(self) -> None:
        """Takes no more requests."""
        self._server.close()

    def cleanup(self) -> None:
        """Lets the backends go."""
        if hasattr(self, '_router'):
            self._actions.close()
            self._router.close()

    def diagnose(self) -> Iterable[Part]:
        """Answers and failures of each backend."""
        yield Part('backends', OK, '', {name: str(count) for name, count in self._router.counts.items()})


def main() -> None:
    """Runs the node."""
    run(ModelRouter)


if __name__ == '__main__':
    main()
