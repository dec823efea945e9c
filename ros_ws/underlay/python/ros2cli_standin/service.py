"""``ros2 service``: list, type and call."""

import argparse
from typing import Any

from ros2cli_standin.command import CommandError, Verbs, dispatch, positive_float
from ros2cli_standin.discovery import Graph, absolute, add_discovery_arguments, hidden, look
from ros2cli_standin.message_types import load, representation
from ros2cli_standin.message_yaml import fill, parse

TIMEOUT_S = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs of ``ros2 service``."""
    verbs = Verbs(parser)
    listing = verbs.add('list', run_list, 'Print the names of the services.')
    listing.add_argument('-t', '--show-types', action='store_true', help='with their types')
    listing.add_argument('-c', '--count-services', action='store_true', help='only their number')
    listing.add_argument('--include-hidden-services', action='store_true', help='also names with a leading _')
    kind = verbs.add('type', run_type, 'Print the type of a service.')
    kind.add_argument('service_name')
    caller = verbs.add('call', run_call, 'Call a service.')
    caller.add_argument('service_name')
    caller.add_argument('service_type')
    caller.add_argument('values', nargs='?', default='{}', help='the request, as YAML')
    caller.add_argument('-r', '--rate', type=positive_float, metavar='HZ', help='call again and again')
    caller.add_argument('--timeout', type=positive_float, default=TIMEOUT_S, metavar='SECONDS', help='for the answer')
    for added in (listing, kind, caller):
        add_discovery_arguments(added)


def main(args: argparse.Namespace) -> int:
    """Run the chosen sub-verb."""
    return dispatch(args)


def run_list(args: argparse.Namespace) -> int:
    """Print the services."""
    with look(args) as graph:
        graph.settle()
        services = sorted(graph.node.get_service_names_and_types())
    shown = [item for item in services if args.include_hidden_services or not hidden(item[0])]
    if args.count_services:
        print(len(shown))
        return 0
    for name, types in shown:
        print(f'{name} [{", ".join(types)}]' if args.show_types else name)
    return 0


def run_type(args: argparse.Namespace) -> int:
    """Print the type of one service."""
    name = absolute(args.service_name)
    with look(args) as graph:
        if not graph.wait_for(lambda: bool(graph.service_types(name))):
            raise CommandError(f"Unknown service '{args.service_name}'")
        print('\n'.join(graph.service_types(name)))
    return 0


def call(graph: Graph, cls: Any, name: str, request: Any, timeout_s: float, tell: bool = False) -> Any:
    """Call the service and return its response; raises CommandError when there is none in time (seconds)."""
    client: Any = graph.node.create_client(cls, name)
    try:
        if not client.service_is_ready():
            if tell:
                print('waiting for service to become available...', flush=True)
            if not graph.wait_for(client.service_is_ready, min(timeout_s, 10.0)):
                raise CommandError(f'service {name} is not there; `ros2 service list` shows those that are')
        if tell:
            print(f'requester: making request: {representation(request)}\n', flush=True)
        return graph.result(client.call_async(request), timeout_s, f'service {name}')
    finally:
        graph.node.destroy_client(client)


def run_call(args: argparse.Namespace) -> int:
    """Call one service, once or at a rate."""
    cls = load(args.service_type, 'srv')
    request = cls.Request()
    fill(request, parse(args.values), load('builtin_interfaces/msg/Time', 'msg')())
    with look(args) as graph:
        while True:
            response = call(graph, cls, absolute(args.service_name), request, args.timeout, tell=True)
            print(f'response:\n{representation(response)}\n', flush=True)
            if args.rate is None:
                return 0
            graph.pause(1 / args.rate)
