"""Runs the benchmarks: `make bench`, or `make bench ONLY=sim`; table, build/bench/results.json and a plot."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
RESULTS = HERE.parents[1] / 'build' / 'bench' / 'results.json'


def main() -> int:
    """Measures, prints and keeps the figures; exit 1 when a bound does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--only', default='', help='rows that begin with this')
    only = parser.parse_args().only
    modules = [path for path in sorted(HERE.glob('bench_*.py')) if only.split('.')[0] in ('', path.stem[6:])]
    if not modules:
        print(f'no benchmark begins with {only!r}; there are: {", ".join(p.stem[6:] for p in HERE.glob("bench_*.py"))}')
        return 2
    measured: list[dict[str, Any]] = []
    for number, path in enumerate(modules, 1):
        print(f'[{number}/{len(modules)}] {path.stem[6:]} ...', flush=True)
        measured += [row.as_dict() for row in load(path).measure() if row.name.startswith(only)]
    rows = merge(measured)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=1) + '\n')
    table(rows)
    plot(rows, RESULTS.with_suffix('.png'))
    return 0 if all(row['holds'] for row in measured) else 1


def load(path: Path) -> Any:
    """The module of a benchmark file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def merge(measured: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of earlier runs with those of this one in their place."""
    known = {row['name']: row for row in json.loads(RESULTS.read_text())} if RESULTS.is_file() else {}
    known.update({row['name']: row for row in measured})
    return [known[name] for name in sorted(known)]


def table(rows: list[dict[str, Any]]) -> None:
    """The figures in the terminal."""
    print(f'\n{"row":36} {"value":>12} {"unit":6} {"bound":>10}  holds  peer')
    for row in rows:
        print(f'{row["name"]:36} {row["value"]:12.3f} {row["unit"]:6} {row["bound"]:>10}  '
              f'{"yes" if row["holds"] else "NO":5}  {row["peer"]}')


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """Each value as a share of its bound: left of the line is good."""
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot
    bounded = [(row, *row['bound'].split()) for row in rows if row['bound']]
    shares = [row['value'] / float(limit) if sign == '<=' else float(limit) / max(row['value'], 1e-9)
              for row, sign, limit in bounded if float(limit)]
    names = [row['name'] for row, _, limit in bounded if float(limit)]
    figure, axes = pyplot.subplots(figsize=(9, 1 + 0.35 * len(names)))
    axes.barh(names, shares, color=['tab:green' if share <= 1 else 'tab:red' for share in shares])
    axes.axvline(1.0, color='black')
    axes.set_xlabel('share of the bound')
    figure.tight_layout()
    figure.savefig(path, dpi=110)


if __name__ == '__main__':
    sys.exit(main())
