"""``ros2 action``: list, info and send_goal."""

import argparse
import time
from typing import Any

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient, get_action_names_and_types

from ros2cli_standin.command import CommandError, Verbs, dispatch, positive_float
from ros2cli_standin.discovery import Graph, absolute, add_discovery_arguments, look
from ros2cli_standin.message_types import load
from ros2cli_standin.message_yaml import fill, parse, to_yaml

SERVER_S = 10.0
STATUS = {
    value: name.removeprefix('STATUS_')
    for name, value in vars(type(GoalStatus)).get('_Metaclass_GoalStatus__constants', {}).items()
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs of ``ros2 action``."""
    verbs = Verbs(parser)
    listing = verbs.add('list', run_list, 'Print the names of the actions.')
    listing.add_argument('-t', '--show-types', action='store_true', help='with their types')
    listing.add_argument('-c', '--count-actions', action='store_true', help='only their number')
    goal = verbs.add('send_goal', run_send_goal, 'Send a goal and wait for its result.')
    goal.add_argument('action_name')
    goal.add_argument('action_type')
    goal.add_argument('goal', nargs='?', default='{}', help='the goal, as YAML')
    goal.add_argument('-f', '--feedback', action='store_true', help='print what is told on the way')
    goal.add_argument('-t', '--timeout', type=positive_float, metavar='SECONDS', default=600.0, help='for the result')
    for added in (listing, goal):
        add_discovery_arguments(added)


def main(args: argparse.Namespace) -> int:
    """Run the chosen sub-verb."""
    return dispatch(args)


def run_list(args: argparse.Namespace) -> int:
    """Print the actions."""
    with look(args) as graph:
        graph.settle()
        actions = sorted(get_action_names_and_types(graph.node))
    if args.count_actions:
        print(len(actions))
        return 0
    for name, types in actions:
        print(f'{name} [{", ".join(types)}]' if args.show_types else name)
    return 0


def show_feedback(feedback: Any) -> None:
    """Print one feedback message."""
    print(f'Feedback:\n    {to_yaml(feedback.feedback, None)}', flush=True)


def cancel(graph: Graph, handle: Any) -> None:
    """Ask the server to stop, and wait a moment for it to agree."""
    print('Canceling goal...', flush=True)
    future = handle.cancel_goal_async()
    done = graph.spin_until(future.done, 5.0)
    accepted = done and bool(future.result().goals_canceling)
    print('Goal canceled.' if accepted else 'Failed to cancel goal.', flush=True)


def run_send_goal(args: argparse.Namespace) -> int:
    """Send one goal; a goal that is still running when this ends is cancelled."""
    cls = load(args.action_type, 'action')
    goal = cls.Goal()
    fill(goal, parse(args.goal, 'goal'), load('builtin_interfaces/msg/Time', 'msg')())
    name = absolute(args.action_name)
    with look(args) as graph:
        client: Any = ActionClient(graph.node, cls, name)
        try:
            print('Waiting for an action server to become available...', flush=True)
            if not graph.wait_for(client.server_is_ready, min(SERVER_S, args.timeout)):
                raise CommandError(f'action {name} is not there; `ros2 action list` shows those that are')
            return follow(graph, client, goal, args, name)
        finally:
            client.destroy()


def follow(graph: Graph, client: Any, goal: Any, args: argparse.Namespace, name: str) -> int:
    """Send the goal, print what comes, and return 0 where it succeeded."""
    print(f'Sending goal:\n     {to_yaml(goal, None)}', flush=True)
    end = time.monotonic() + args.timeout
    sent = client.send_goal_async(goal, show_feedback if args.feedback else None)
    handle = graph.result(sent, min(SERVER_S, args.timeout), f'action {name}')
    if not handle.accepted:
        raise CommandError('Goal was rejected.')
    print(f'Goal accepted with ID: {bytes(handle.goal_id.uuid).hex()}\n', flush=True)
    outcome = None
    try:
        outcome = graph.result(handle.get_result_async(), max(end - time.monotonic(), 0.1), f'action {name}')
    finally:
        if outcome is None:
            cancel(graph, handle)
    print(f'Result:\n    {to_yaml(outcome.result, None)}')
    print(f'Goal finished with status: {STATUS.get(outcome.status, "UNKNOWN")}', flush=True)
    return 0 if outcome.status == GoalStatus.STATUS_SUCCEEDED else 1
