"""``ros2 topic pub``: publish a message from the command line."""

import argparse
import time
from typing import Any

from ros2cli_standin.command import CommandError, Verbs, positive_float, positive_int
from ros2cli_standin.discovery import Graph, absolute, add_discovery_arguments, look
from ros2cli_standin.message_types import load, representation
from ros2cli_standin.message_yaml import fill, parse
from ros2cli_standin.quality import add_quality_arguments, publishing

MATCH_LIMIT_S = 10.0


def add_pub(verbs: Verbs) -> None:
    """Add ``pub``."""
    parser = verbs.add('pub', run_pub, 'Publish a message.')
    parser.add_argument('topic_name')
    parser.add_argument('message_type')
    parser.add_argument('values', nargs='?', default='{}', help='the fields, as YAML')
    parser.add_argument('-r', '--rate', type=positive_float, default=1.0, metavar='HZ', help='times a second')
    parser.add_argument('-p', '--print', type=int, default=1, metavar='N', help='print every Nth message, 0: none')
    many = parser.add_mutually_exclusive_group()
    many.add_argument('-1', '--once', action='store_true', help='one message')
    many.add_argument('-t', '--times', type=positive_int, default=0, help='so many messages')
    parser.add_argument('-w', '--wait-matching-subscriptions', type=int, metavar='N', help='first wait for N readers')
    parser.add_argument('--max-wait-time-secs', type=positive_float, default=MATCH_LIMIT_S, help='but not longer')
    parser.add_argument('--keep-alive', type=float, default=0.3, metavar='SECONDS', help='stay after the last message')
    parser.add_argument('-n', '--node-name', help='accepted; the name is chosen')
    add_quality_arguments(parser)
    add_discovery_arguments(parser)


def await_readers(graph: Graph, publisher: Any, wanted: int, limit_s: float) -> None:
    """Wait until so many subscriptions match; raises CommandError after the limit (seconds)."""
    if publisher.get_subscription_count() >= wanted:
        return
    print(f'Waiting for at least {wanted} matching subscription(s)...', flush=True)
    if not graph.wait_for(lambda: publisher.get_subscription_count() >= wanted, limit_s):
        found = publisher.get_subscription_count()
        raise CommandError(
            f'Timed out waiting for subscribers: Expected {wanted} subscribers but only got {found}; '
            '-w 0 publishes all the same'
        )


def run_pub(args: argparse.Namespace) -> int:
    """Publish once, some times, or until stopped."""
    cls = load(args.message_type, 'msg')
    values = parse(args.values)
    times = 1 if args.once else args.times
    wanted = args.wait_matching_subscriptions
    if wanted is None:
        wanted = 1 if times else 0
    fill(cls(), values, _now_type())  # bad values are refused before anything is in the graph
    with look(args) as graph:
        publisher = graph.node.create_publisher(cls, absolute(args.topic_name), publishing(args))
        await_readers(graph, publisher, wanted, args.max_wait_time_secs)
        print('publisher: beginning loop', flush=True)
        publish(graph, publisher, cls, values, times, args)
        if times and args.keep_alive > 0:
            graph.spin_until(lambda: False, args.keep_alive)
    return 0


def _now_type() -> Any:
    return load('builtin_interfaces/msg/Time', 'msg')()


def publish(
    graph: Graph, publisher: Any, cls: Any, values: dict[str, Any], times: int, args: argparse.Namespace
) -> None:
    """Publish so many times (0: until stopped) at the rate asked for."""
    count, due = 0, time.monotonic()
    while True:
        message = cls()
        fill(message, values, graph.node.get_clock().now().to_msg())
        count += 1
        if args.print and count % args.print == 0:
            print(f'publishing #{count}: {representation(message)}\n', flush=True)
        publisher.publish(message)
        if count == times:
            return
        due = max(due + 1 / args.rate, time.monotonic() - 1 / args.rate)
        graph.spin_until(lambda until=due: time.monotonic() >= until, max(due - time.monotonic(), 0.0))  # type: ignore[misc]
