"""The crowd of agents for an hour, or as long as asked: `make soak`, or `make soak SOAK_S=60`."""

from __future__ import annotations

import argparse
import sys

from bus import crowd
from bus.load import environment


def main() -> int:
    """Prints the rows; exit 1 when a bound does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=float, default=3600.0)
    rows = crowd.measure(environment(), parser.parse_args().seconds)
    for row in rows:
        print(f'{row.name:24} {row.value:10.3f} {row.unit:4} {row.bound:>6} {"" if row.holds else "NO"}')
    return 0 if all(row.holds for row in rows) else 1


if __name__ == '__main__':
    sys.exit(main())
