"""``ros2 lifecycle``: nodes, get, set and list."""

import argparse
from typing import Any

from lifecycle_msgs.srv import ChangeState, GetAvailableTransitions, GetState

from ros2cli_standin.command import CommandError, Verbs, dispatch, positive_float
from ros2cli_standin.discovery import Graph, absolute, add_discovery_arguments, hidden, look
from ros2cli_standin.service import call

STATE_TYPE = 'lifecycle_msgs/srv/GetState'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs of ``ros2 lifecycle``."""
    verbs = Verbs(parser)
    nodes = verbs.add('nodes', run_nodes, 'Print the nodes that have a lifecycle.')
    nodes.add_argument('-a', '--all', action='store_true', help='also names with a leading _')
    nodes.add_argument('-c', '--count-nodes', action='store_true', help='only their number')
    getter = verbs.add('get', run_get, 'Print the state of a node, or of all.')
    getter.add_argument('node_name', nargs='?')
    setter = verbs.add('set', run_set, 'Ask a node for a transition.')
    setter.add_argument('node_name')
    setter.add_argument('transition', help='its name or number')
    listing = verbs.add('list', run_list, 'Print the transitions a node can make now.')
    listing.add_argument('node_name')
    listing.add_argument('-a', '--all', action='store_true', help='accepted; those that are possible are printed')
    for added in (nodes, getter, setter, listing):
        added.add_argument('--timeout', type=positive_float, default=30.0, metavar='SECONDS', help='for the answer')
        add_discovery_arguments(added)


def main(args: argparse.Namespace) -> int:
    """Run the chosen sub-verb."""
    return dispatch(args)


def lifecycle_nodes(graph: Graph, all_nodes: bool = False) -> list[str]:
    """Return the full names of nodes with the lifecycle services, sorted."""
    suffix = '/get_state'
    services = graph.node.get_service_names_and_types()
    names = [name.removesuffix(suffix) for name, types in services if name.endswith(suffix) and STATE_TYPE in types]
    return sorted(name for name in names if all_nodes or not hidden(name))


def run_nodes(args: argparse.Namespace) -> int:
    """Print the lifecycle nodes."""
    with look(args) as graph:
        graph.settle()
        names = lifecycle_nodes(graph, args.all)
    print(len(names) if args.count_nodes else '\n'.join(names), end='\n' if names or args.count_nodes else '')
    return 0


def ask(graph: Graph, name: str, cls: Any, verb: str, request: Any, timeout_s: float) -> Any:
    """Call a lifecycle service of the node; raises CommandError where there is no such node."""
    if not graph.wait_for(lambda: bool(graph.service_types(f'{name}/{verb}'))):
        raise CommandError(f'Node not found: {name} has no lifecycle services; see `ros2 lifecycle nodes`')
    return call(graph, cls, f'{name}/{verb}', request, timeout_s)


def state_text(graph: Graph, name: str, timeout_s: float) -> str:
    """Return the state of the node as text: active [3]."""
    state = ask(graph, name, GetState, 'get_state', GetState.Request(), timeout_s).current_state
    return f'{state.label} [{state.id}]'


def run_get(args: argparse.Namespace) -> int:
    """Print the state of one node, or of every lifecycle node."""
    with look(args) as graph:
        if args.node_name:
            print(state_text(graph, absolute(args.node_name), args.timeout))
            return 0
        graph.settle()
        failed = 0
        for name in lifecycle_nodes(graph):
            try:
                print(f'{name}: {state_text(graph, name, min(args.timeout, 5.0))}', flush=True)
            except CommandError as error:
                print(f'{name}: {error}')
                failed = 1
    return failed


def transitions(graph: Graph, name: str, timeout_s: float) -> list[Any]:
    """Return the descriptions of the transitions that the node can make now."""
    request = GetAvailableTransitions.Request()
    answer = ask(graph, name, GetAvailableTransitions, 'get_available_transitions', request, timeout_s)
    return list(answer.available_transitions)


def run_set(args: argparse.Namespace) -> int:
    """Make one transition."""
    name = absolute(args.node_name)
    with look(args) as graph:
        known = [item.transition for item in transitions(graph, name, args.timeout)]
        chosen = next((item for item in known if args.transition in (item.label, str(item.id))), None)
        if chosen is None:
            possible = ''.join(f'\n- {item.label} [{item.id}]' for item in known)
            raise CommandError(f'Unknown transition requested, available ones are:{possible}')
        request = ChangeState.Request(transition=chosen)
        answer = ask(graph, name, ChangeState, 'change_state', request, args.timeout)
    if not answer.success:
        raise CommandError('Transitioning failed')
    print('Transitioning successful')
    return 0


def run_list(args: argparse.Namespace) -> int:
    """Print the transitions of one node, with where they begin and end."""
    with look(args) as graph:
        for item in transitions(graph, absolute(args.node_name), args.timeout):
            print(f'- {item.transition.label} [{item.transition.id}]')
            print(f'\tStart: {item.start_state.label}\n\tGoal: {item.goal_state.label}')
    return 0
