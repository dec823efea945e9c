"""``ros2 node``: list and info."""

import argparse
from collections import Counter
from collections.abc import Iterable

from rclpy.action.graph import get_action_client_names_and_types_by_node, get_action_server_names_and_types_by_node

from ros2cli_standin.command import CommandError, Verbs, dispatch
from ros2cli_standin.discovery import Graph, absolute, add_discovery_arguments, full_name, hidden, look, split_name

NamesAndTypes = Iterable[tuple[str, list[str]]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs of ``ros2 node``."""
    verbs = Verbs(parser)
    listing = verbs.add('list', run_list, 'Print the names of the nodes.')
    listing.add_argument('-a', '--all', action='store_true', help='also names with a leading _')
    listing.add_argument('-c', '--count-nodes', action='store_true', help='only their number')
    info = verbs.add('info', run_info, 'Print topics, services and actions of a node.')
    info.add_argument('node_name')
    info.add_argument('--include-hidden', action='store_true', help='also names with a leading _')
    for added in (listing, info):
        add_discovery_arguments(added)


def main(args: argparse.Namespace) -> int:
    """Run the chosen sub-verb."""
    return dispatch(args)


def run_list(args: argparse.Namespace) -> int:
    """Print the nodes."""
    with look(args) as graph:
        graph.settle()
        names = sorted(full_name(node) for node in graph.nodes())
        shown = [name for name in names if args.all or not hidden(name)]
    if args.count_nodes:
        print(len(shown))
        return 0
    if any(count > 1 for count in Counter(shown).values()):
        print('WARNING: Be aware that there are nodes in the graph that share an exact name.')
    for name in shown:
        print(name)
    return 0


def sections(graph: Graph, name: str, space: str) -> list[tuple[str, NamesAndTypes]]:
    """Return the titles and contents of the description of a node."""
    node = graph.node
    return [
        ('Subscribers', node.get_subscriber_names_and_types_by_node(name, space)),
        ('Publishers', node.get_publisher_names_and_types_by_node(name, space)),
        ('Service Servers', node.get_service_names_and_types_by_node(name, space)),
        ('Service Clients', node.get_client_names_and_types_by_node(name, space)),
        ('Action Servers', get_action_server_names_and_types_by_node(node, name, space)),
        ('Action Clients', get_action_client_names_and_types_by_node(node, name, space)),
    ]


def run_info(args: argparse.Namespace) -> int:
    """Print what one node has."""
    wanted = absolute(args.node_name)
    name, space = split_name(wanted)
    with look(args) as graph:
        if not graph.wait_for(lambda: wanted in map(full_name, graph.nodes())):
            raise CommandError(f"Unable to find node '{args.node_name}'")
        graph.settle()
        found = sections(graph, name, space)
        count = Counter(map(full_name, graph.nodes()))[wanted]
    if count > 1:
        print(f"There are {count} nodes in the graph with the exact name '{wanted}'. You are seeing one of them.")
    print(wanted)
    for title, items in found:
        print(f'  {title}:')
        shown = [item for item in sorted(items) if args.include_hidden or not hidden(item[0])]
        print('\n'.join(f'    {item}: {", ".join(types)}' for item, types in shown))
    return 0
