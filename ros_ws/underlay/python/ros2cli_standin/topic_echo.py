"""``ros2 topic echo``: print what is published."""

import argparse
from typing import Any

from ros2cli_standin.command import CommandError, Verbs, positive_float, positive_int
from ros2cli_standin.discovery import Graph, absolute, add_discovery_arguments, look
from ros2cli_standin.message_types import load
from ros2cli_standin.message_yaml import DEFAULT_LENGTH, field_at, to_csv, to_yaml
from ros2cli_standin.quality import add_quality_arguments, matching, override

ONCE_LIMIT_S = 60.0


def add_echo(verbs: Verbs) -> None:
    """Add ``echo``."""
    parser = verbs.add('echo', run_echo, 'Print the messages of a topic.')
    parser.add_argument('topic_name')
    parser.add_argument('message_type', nargs='?', help='needed only before anybody publishes')
    parser.add_argument('--once', action='store_true', help='only one message')
    parser.add_argument('--timeout', type=positive_float, metavar='SECONDS', help='give up after this time')
    parser.add_argument('--field', help='only this part of it: pose.position.x, ranges[3]')
    parser.add_argument('--no-arr', action='store_true', help='only the length of arrays')
    parser.add_argument('--no-str', action='store_true', help='only the length of texts')
    parser.add_argument('--flow-style', action='store_true', help='one line for each message')
    parser.add_argument('--csv', action='store_true', help='only the values, with commas between')
    parser.add_argument('--raw', action='store_true', help='the bytes as they come')
    parser.add_argument('-f', '--full-length', action='store_true', help='arrays and texts uncut')
    parser.add_argument('-l', '--truncate-length', type=positive_int, default=DEFAULT_LENGTH, help='cut after this')
    parser.add_argument('--no-lost-messages', action='store_true', help='accepted; losses are not reported')
    add_quality_arguments(parser)
    add_discovery_arguments(parser)


def topic_type(graph: Graph, topic: str, given: str | None, limit_s: float = 3.0) -> str:
    """Return the one type of the topic, waiting for it; raises CommandError."""
    if given:
        graph.wait_for(lambda: bool(graph.node.get_publishers_info_by_topic(topic)), min(limit_s, 1.0))
        return given
    if not graph.wait_for(lambda: bool(graph.topic_types(topic)), limit_s):
        raise CommandError(
            f'WARNING: topic [{topic}] does not appear to be published yet\n'
            'Could not determine the type for the passed topic'
        )
    types = graph.topic_types(topic)
    if len(types) > 1:
        raise CommandError(f"Cannot echo topic '{topic}', as it contains more than one type: [{', '.join(types)}]")
    return types[0]


class Printer:
    """Prints messages as the options ask for it, and counts them."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.count = 0
        self._args = args
        self._length = None if args.full_length else args.truncate_length

    def __call__(self, message: Any) -> None:
        """Print one message."""
        if self._args.once and self.count:
            return
        if self._args.field:
            message = field_at(message, self._args.field)
        print(self.text(message), flush=True)
        self.count += 1

    def text(self, message: Any) -> str:
        """Return the text for one message or field."""
        args = self._args
        if args.raw:
            return f'{message!r}\n---'
        if args.csv:
            return to_csv(message, self._length, args.no_arr, args.no_str)
        return to_yaml(message, self._length, args.no_arr, args.no_str, args.flow_style) + '---'


def run_echo(args: argparse.Namespace) -> int:
    """Print messages until stopped, or one."""
    topic = absolute(args.topic_name)
    with look(args) as graph:
        cls = load(topic_type(graph, topic, args.message_type), 'msg')
        graph.settle(0.2, empty=True)
        offered = graph.node.get_publishers_info_by_topic(topic)
        printer = Printer(args)
        graph.node.create_subscription(cls, topic, printer, override(matching(offered), args), raw=args.raw)
        limit = args.timeout or (ONCE_LIMIT_S if args.once else None)
        if not graph.spin_until(lambda: args.once and printer.count > 0, limit) and args.once:
            raise CommandError(f'no message on [{topic}] within {limit:g} s; --timeout sets another time')
    return 0
