"""Runs several nodes in one process: `container simulator camera`."""

import sys

from loom.core.errors import ConfigError
from loom.ros.process import BAD_CONFIG, node_class, own_arguments, run


def main() -> None:
    """Runs the nodes that the command line names."""
    try:
        classes = [node_class(name) for name in own_arguments(sys.argv)[1:]]
        if not classes:
            raise ConfigError('container needs the names of the nodes to run, like: container camera microphone')
    except ConfigError as error:
        print(f'error: {error}', file=sys.stderr)
        sys.exit(BAD_CONFIG)
    run(*classes)


if __name__ == '__main__':
    main()
