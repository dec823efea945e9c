"""The latencies of all peers as distributions, one panel for each exercise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib
import numpy as np
from bus.contest import Outcomes

matplotlib.use('Agg')
from matplotlib import pyplot

OURS = ('loom', 'standard')
COLOURS = {'loom': 'tab:red', 'standard': 'tab:orange', 'rclpy': 'tab:gray', 'dora': 'tab:green',
           'dora_default': 'tab:olive', 'iceoryx2': 'tab:blue', 'zenoh': 'tab:purple'}


def draw(contests: Mapping[str, Outcomes], path: Path) -> None:
    """Writes a PNG: share of the messages that had arrived and been read by then."""
    figure, panels = pyplot.subplots(1, len(contests), figsize=(6 * len(contests), 6.5), squeeze=False)
    for axes, (title, outcomes) in zip(panels[0], contests.items()):
        for name, outcome in sorted(outcomes.items(), key=lambda item: item[1].p50_us):
            latencies = np.sort(outcome.latencies_us)
            axes.step(latencies, np.linspace(0.0, 100.0, len(latencies)), color=COLOURS[name],
                      linewidth=2.5 if name in OURS else 1.5,
                      label=f'{name}  {outcome.p50_us:,.0f} / {outcome.p99_us:,.0f}')
        axes.set(xscale='log', title=title, xlabel='microseconds from before the copy in to after the reading',
                 ylabel='% of messages')
        axes.axhline(50.0, color='lightgray', zorder=0)
        axes.legend(title='p50 / p99, us', loc='upper center', bbox_to_anchor=(0.5, -0.14), ncols=2)
        axes.grid(axis='x', which='both', color='whitesmoke')
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)
    pyplot.close(figure)
