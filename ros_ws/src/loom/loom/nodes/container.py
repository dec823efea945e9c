"""Runs several nodes in one process: `container simulator camera`, `container guard_host=agent_host`."""

from __future__ import annotations

import signal
import sys
from typing import Any


def main() -> None:
    """Runs the nodes that the command line names."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    # Loading takes half a second, in which a signal must already end the process quietly.
    from loom.core.errors import ConfigError
    from loom.ros.process import BAD_CONFIG, node_maker, own_arguments, run
    try:
        makers = [node_maker(name) for name in own_arguments(sys.argv)[1:]]
        if not makers:
            raise ConfigError('container needs the names of the nodes to run, like: container camera microphone')
    except ConfigError as error:
        print(f'error: {error}', file=sys.stderr)
        sys.exit(BAD_CONFIG)
    run(*makers)


def _leave(number: int, frame: Any) -> None:
    sys.exit(0)


if __name__ == '__main__':
    main()
