"""``ros2 topic``: list, info, type, echo, hz, bw, pub."""

import argparse

from ros2cli_standin import topic_echo, topic_pub, topic_rate
from ros2cli_standin.command import CommandError, Verbs, dispatch
from ros2cli_standin.discovery import Graph, absolute, add_discovery_arguments, hidden, look


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs of ``ros2 topic``."""
    verbs = Verbs(parser)
    listing = verbs.add('list', run_list, 'Print the names of the topics.')
    listing.add_argument('-t', '--show-types', action='store_true', help='with their types')
    listing.add_argument('-c', '--count-topics', action='store_true', help='only their number')
    listing.add_argument('-v', '--verbose', action='store_true', help='with the number of endpoints')
    listing.add_argument('--include-hidden-topics', action='store_true', help='also names with a leading _')
    info = verbs.add('info', run_info, 'Print the type and the endpoints of a topic.')
    info.add_argument('topic_name')
    info.add_argument('-v', '--verbose', action='store_true', help='with node and quality of service of each')
    kind = verbs.add('type', run_type, 'Print the type of a topic.')
    kind.add_argument('topic_name')
    topic_echo.add_echo(verbs)
    topic_rate.add_rates(verbs)
    topic_pub.add_pub(verbs)
    for added in (listing, info, kind):
        add_discovery_arguments(added)


def main(args: argparse.Namespace) -> int:
    """Run the chosen sub-verb."""
    return dispatch(args)


def run_list(args: argparse.Namespace) -> int:
    """Print the topics."""
    with look(args) as graph:
        graph.settle()
        topics = sorted(graph.node.get_topic_names_and_types())
        shown = [item for item in topics if args.include_hidden_topics or not hidden(item[0])]
        if args.count_topics:
            print(len(shown))
        elif args.verbose:
            print_endpoints(graph, shown)
        else:
            for name, types in shown:
                print(f'{name} [{", ".join(types)}]' if args.show_types else name)
    return 0


def print_endpoints(graph: Graph, topics: list[tuple[str, list[str]]]) -> None:
    """Print the topics with the number of publishers, then with that of subscribers."""
    for title, word, count in (
        ('Published', 'publisher', graph.node.count_publishers),
        ('Subscribed', 'subscriber', graph.node.count_subscribers),
    ):
        print(f'{title} topics:')
        for name, types in topics:
            if number := count(name):
                print(f' * {name} [{", ".join(types)}] {number} {word}{"s" if number != 1 else ""}')
        print('')


def run_info(args: argparse.Namespace) -> int:
    """Print the type and the endpoints of one topic."""
    topic = absolute(args.topic_name)
    end = '\n\n' if args.verbose else '\n'
    with look(args) as graph:
        if not graph.wait_for(lambda: bool(graph.topic_types(topic))):
            raise CommandError(f"Unknown topic '{args.topic_name}'")
        graph.settle()
        print('Type:', ', '.join(graph.topic_types(topic)), end=end)
        own = graph.node.get_name()
        for title, infos in (
            ('Publisher count:', graph.node.get_publishers_info_by_topic(topic)),
            ('Subscription count:', graph.node.get_subscriptions_info_by_topic(topic)),
        ):
            others = [info for info in infos if info.node_name != own]
            print(title, len(others), end=end)
            if args.verbose:
                for info in others:
                    print(info, end=end)
    return 0


def run_type(args: argparse.Namespace) -> int:
    """Print the type of one topic."""
    topic = absolute(args.topic_name)
    with look(args) as graph:
        if not graph.wait_for(lambda: bool(graph.topic_types(topic))):
            raise CommandError(f"Unknown topic '{args.topic_name}'")
        print('\n'.join(graph.topic_types(topic)))
    return 0
