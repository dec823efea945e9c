"""``ros2 topic hz`` and ``ros2 topic bw``: how often, and how much."""

import argparse
import math
import time
from collections import deque
from collections.abc import Callable, Sequence

from ros2cli_standin.command import Verbs, positive_float, positive_int
from ros2cli_standin.discovery import Graph, absolute, add_discovery_arguments, look
from ros2cli_standin.message_types import load
from ros2cli_standin.quality import add_quality_arguments, matching, override
from ros2cli_standin.topic_echo import topic_type

APPEAR_S = 10.0


def add_rates(verbs: Verbs) -> None:
    """Add ``hz`` and ``bw``."""
    hz = verbs.add('hz', run_hz, 'Print the average rate of a topic, every second.')
    hz.add_argument('--wall-time', action='store_true', help='accepted; wall time is always used')
    bw = verbs.add('bw', run_bw, 'Print the bandwidth of a topic, every second.')
    for parser, window in ((hz, 10000), (bw, 100)):
        parser.add_argument('topic_name')
        parser.add_argument('-w', '--window', type=positive_int, default=window, help='messages to average over')
        parser.add_argument('--timeout', type=positive_float, metavar='SECONDS', help='end after this time')
        add_quality_arguments(parser)
        add_discovery_arguments(parser)


class Rate:
    """The times of the last messages, as the interval between them."""

    def __init__(self, window: int) -> None:
        self._intervals: deque[float] = deque(maxlen=max(window - 1, 1))
        self._last: float | None = None
        self.fresh = 0

    def add(self, now: float, size: int = 0) -> None:
        """Count a message at the time now (seconds)."""
        if self._last is not None:
            self._intervals.append(now - self._last)
        self._last = now
        self.fresh += 1

    def line(self, now: float) -> str:
        """Return the two printed lines, empty before there are two messages."""
        fresh, self.fresh = self.fresh, 0
        if not fresh or not self._intervals:
            return 'no new messages' if self._last is not None and not fresh else ''
        count = len(self._intervals)
        mean = sum(self._intervals) / count
        spread = math.sqrt(sum((value - mean) ** 2 for value in self._intervals) / count)
        rate = 1.0 / mean if mean > 0 else 0.0
        return (
            f'average rate: {rate:.3f}\n\tmin: {min(self._intervals):.3f}s max: {max(self._intervals):.3f}s '
            f'std dev: {spread:.5f}s window: {count + 1}'
        )


def readable(sizes: Sequence[float]) -> list[str]:
    """Return sizes in bytes as text, all in one unit."""
    for unit, scale in (('B', 1.0), ('KB', 1e3), ('MB', 1e6)):
        if max(sizes) < 1000 * scale or unit == 'MB':
            break
    return [f'{size / scale:.0f} B' if unit == 'B' else f'{size / scale:.2f} {unit}' for size in sizes]


class Bandwidth:
    """The times and sizes of the last messages."""

    def __init__(self, window: int) -> None:
        self._seen: deque[tuple[float, int]] = deque(maxlen=window)

    def add(self, now: float, size: int = 0) -> None:
        """Count a message of a size (bytes) at the time now (seconds)."""
        self._seen.append((now, size))

    def line(self, now: float) -> str:
        """Return the two printed lines, empty before there are two messages."""
        if len(self._seen) < 2:
            return ''
        sizes = [size for _, size in self._seen]
        speed = readable([sum(sizes) / max(now - self._seen[0][0], 1e-9)])[0]
        mean, least, most = readable([sum(sizes) / len(sizes), min(sizes), max(sizes)])
        return f'{speed}/s from {len(sizes)} messages\n\tMessage size mean: {mean} min: {least} max: {most}'


def run_hz(args: argparse.Namespace) -> int:
    """Print the rate until stopped."""
    with look(args) as graph:
        return measure(graph, args, Rate(args.window))


def run_bw(args: argparse.Namespace) -> int:
    """Print the bandwidth until stopped."""
    with look(args) as graph:
        return measure(graph, args, Bandwidth(args.window), f'Subscribed to [{absolute(args.topic_name)}]')


def measure(graph: Graph, args: argparse.Namespace, meter: Rate | Bandwidth, opening: str = '') -> int:
    """Count the messages of the topic and print a line every second."""
    topic = absolute(args.topic_name)
    appear_s = APPEAR_S if args.timeout is None else min(APPEAR_S, args.timeout)
    cls = load(topic_type(graph, topic, None, appear_s), 'msg')
    graph.settle(0.2, empty=True)
    offered = graph.node.get_publishers_info_by_topic(topic)
    profile = override(matching(offered, depth=100), args)
    # Serialized messages spare the time for unpacking them, which would lower the measured rate.
    graph.node.create_subscription(cls, topic, lambda data: meter.add(time.monotonic(), len(data)), profile, raw=True)
    if opening:
        print(opening, flush=True)
    end = math.inf if args.timeout is None else time.monotonic() + args.timeout
    while time.monotonic() < end:
        graph.spin_until(_after(min(time.monotonic() + 1.0, end)), None)
        if line := meter.line(time.monotonic()):
            print(line, flush=True)
    return 0


def _after(end: float) -> Callable[[], bool]:
    return lambda: time.monotonic() >= end
