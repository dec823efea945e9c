"""Brings the managed nodes up in order and down in reverse, as nav2_lifecycle_manager does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from loom.core.errors import DeadlineError, LoomError
from loom.ros.lifecycle import ACTIVATE, CLEANUP, CONFIGURE, DEACTIVATE, LifecycleClient

STATE_TIMEOUT_S = 1.0
PARALLEL = 8


class Supervision:
    """The managed nodes in start order."""

    def __init__(self, nodes: Sequence[LifecycleClient], timeout_s: float, log: Callable[[str], object]) -> None:
        self._nodes = list(nodes)
        self._timeout_s = timeout_s
        self._log = log
        self.mode = 'stopped'

    def startup(self) -> None:
        """Configures all, side by side, then activates one after the other; on a failure, all go back."""
        self.mode = 'starting'
        try:
            self.configure()
            for node in self._nodes:
                node.transition(ACTIVATE, self._timeout_s)
        except LoomError:
            self.shutdown()
            raise
        self.mode = 'active'
        self._log(f'all {len(self._nodes)} nodes are active')

    def pause(self) -> None:
        """Deactivates in reverse order."""
        self._reverse(DEACTIVATE)
        self.mode = 'paused'

    def resume(self) -> None:
        """Activates in order."""
        for node in self._nodes:
            node.transition(ACTIVATE, self._timeout_s)
        self.mode = 'active'

    def reset(self) -> None:
        """Deactivates and cleans up in reverse order."""
        for node in reversed(self._nodes):
            self._back(node, self._timeout_s)
        self.mode = 'stopped'

    def configure(self) -> None:
        """Configures all that are not active already."""
        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(lambda node: node.transition(CONFIGURE, self._timeout_s), self._nodes))

    def shutdown(self) -> None:
        """Goes as far back as each node allows; what doesn't answer is left behind and named."""
        for node in reversed(self._nodes):
            try:
                self._back(node, STATE_TIMEOUT_S)
            except LoomError as error:
                self._log(f'{node.name} was left as it is: {error}')
        self.mode = 'stopped'

    def states(self) -> dict[str, str]:
        """Lifecycle state of each node; 'unknown' where it doesn't answer."""
        with ThreadPoolExecutor(PARALLEL) as pool:
            return dict(zip([n.name for n in self._nodes], pool.map(_state, self._nodes)))

    def _back(self, node: LifecycleClient, answer_within_s: float) -> None:
        state = node.state(answer_within_s)
        if state == 'active':
            node.transition(DEACTIVATE, self._timeout_s)
        if state in ('active', 'inactive'):
            node.transition(CLEANUP, self._timeout_s)

    def _reverse(self, transition: int) -> None:
        for node in reversed(self._nodes):
            node.transition(transition, self._timeout_s)


def _state(node: LifecycleClient) -> str:
    try:
        return node.state(STATE_TIMEOUT_S) if node.ready() else 'unknown'
    except DeadlineError:
        return 'unknown'
