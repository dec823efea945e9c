"""memory_server: keeps what agents want to remember, and by itself what the cameras saw and where."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from pydantic import Field

from loom.core.config import NodeConfig
from loom.core.event import Event
from loom.memory.embedding import Embedder
from loom.memory.memory import Memory, open_store, state_folder
from loom.memory.server import MemoryServer as Server
from loom.memory.sighting import remember_sighting
from loom.ros.memory_search import serve_search
from loom.ros.node import OK, WARN, LoomNode, Part
from loom.ros.process import run
from loom.ros.whereabouts import Whereabouts


class MemoryServerConfig(NodeConfig):
    """Settings of the memory."""

    store: str = Field('', description='Folder, redis:// or postgresql:// address; empty: $XDG_STATE_HOME/loom.')
    tidy_s: float = Field(30.0, ge=1, le=3600, description='Between two rounds of consolidating and forgetting.')
    snapshot_s: float = Field(600.0, ge=1, le=86_400, description='Between two snapshots to fall back to.')


class MemoryServer(LoomNode):
    """Answers its mailbox, and listens to the cameras."""

    Config = MemoryServerConfig
    config: MemoryServerConfig

    def configure(self) -> None:
        """Opens the store; one that is damaged or can't be written is said in the log and the diagnostics."""
        store, folder = open_store(self.config.store or str(state_folder() / self.get_namespace().strip('/')))
        models = Path(get_package_share_directory('loom')) / 'models'
        self._memory = Memory(store, self.clock_source, folder, Embedder(models))
        if self._memory.notice:
            self.get_logger().warning(self._memory.notice)
        self._where = Whereabouts(self)
        serve_search(self, lambda: self._server)
        self.listen('camera.*.object', self._saw)
        self.every(self.config.tidy_s, lambda: self._server.submit(self._memory.episodes.tidy))
        self.every(self.config.snapshot_s, lambda: self._server.submit(self._memory.save))

    def activate(self) -> None:
        """Begins to take requests."""
        self._server = Server(self.bus, self.clock_source, self._memory, lambda: self._where.places)

    def deactivate(self) -> None:
        """Takes no more requests."""
        self._server.close()

    def cleanup(self) -> None:
        """Closes the store."""
        if hasattr(self, '_memory'):
            self._memory.close()

    def diagnose(self) -> Iterable[Part]:
        """How much is kept in which tier, what was asked, and what is wrong with the store."""
        troubles = '; '.join(text for text in (self._memory.notice, self._server.last_failure) if text)
        counts = {**self._memory.episodes.counts(), **self._server.counts}
        yield Part('memory', WARN if troubles else OK, troubles, {name: str(n) for name, n in counts.items()})

    def _saw(self, event: Event) -> None:
        self._server.submit(partial(remember_sighting, self._memory.episodes, event, self._where.pose()))


def main() -> None:
    """Runs the node."""
    run(MemoryServer)


if __name__ == '__main__':
    main()
