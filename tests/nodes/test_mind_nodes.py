"""agent_host, action_broker and model_router together, as other programs see them."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

rclpy = pytest.importorskip('rclpy')

from geometry_msgs.msg import PoseStamped  # noqa: E402
from loom_msgs.action import Infer, Invoke  # noqa: E402
from loom_msgs.msg import Directory  # noqa: E402
from loom_msgs.srv import Route  # noqa: E402
from rclpy.action import ActionClient  # noqa: E402
from rclpy.node import Node  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402

from loom import Agent, Context  # noqa: E402
from loom.core.delivery import STATE  # noqa: E402
from loom.core.trace import Span, record, trace_id  # noqa: E402
from loom.nodes.action_broker import ActionBroker  # noqa: E402
from loom.nodes.agent_host import AgentHost  # noqa: E402
from loom.nodes.model_router import ModelRouter  # noqa: E402
from loom.ros.bus import RosBus  # noqa: E402
from loom.ros.qos import subscription_profile  # noqa: E402
from loom.ros.service_call import call  # noqa: E402

Until = Callable[..., None]

counter = Agent('counter')


@counter.capability
async def count(ctx: Context, up_to: int) -> int:
    """Count to a number."""
    for number in range(up_to):
        await ctx.feedback(f'at {number}', number / up_to)
        await asyncio.sleep(0.01)
    return up_to


class Mind:
    """The three nodes, and a guest that calls them."""

    def __init__(self, ros: Any) -> None:
        agents = Parameter('agents', value=['commander', 'speaker', f'{__name__}:counter'])
        self.nodes = [ros.add(ModelRouter), ros.add(ActionBroker),
                      ros.add(AgentHost, parameter_overrides=[agents, Parameter('memory', value='')])]
        self.guest: Node = ros.add(self._guest)
        self.bus = RosBus(self.guest)
        self.directories: list[Directory] = []
        self.guest.create_subscription(Directory, 'loom/directory', self.directories.append,
                                       subscription_profile(STATE))
        for node in self.nodes:
            node.trigger_configure()
            node.trigger_activate()

    def _guest(self, **options: Any) -> Node:
        # An action client is not whole when its node first sees it: it is made before the executor spins the node.
        node = Node('guest', **options)
        self.invoke = ActionClient(node, Invoke, 'action_broker/invoke')
        self.infer = ActionClient(node, Infer, 'model_router/infer')
        return node

    def goal(self, client: Any, until: Until, feedback: Callable[[Any], None] = lambda _: None, **fields: Any) -> Any:
        """The accepted goal."""
        goal = client._action_type.Goal(**fields)
        assert client.wait_for_server(5.0)
        sent = client.send_goal_async(goal, feedback)
        until(sent.done, 'the goal was not accepted')
        return sent.result()

    def result(self, client: Any, until: Until, **fields: Any) -> Any:
        """The result of a goal."""
        answered = self.goal(client, until, **fields).get_result_async()
        until(answered.done, 'no result came')
        return answered.result().result


@pytest.fixture
def mind(ros: Any, until: Until) -> Iterator[Mind]:
    made = Mind(ros)
    until(lambda: made.nodes[1]._broker.capabilities(), 'the broker knows nobody')
    yield made


def test_the_directory_tells_who_can_do_what(mind: Mind, until: Until) -> None:
    until(lambda: mind.directories)
    cards = {card.id: card for card in mind.directories[-1].agents}
    assert {'commander', 'counter', 'fetch_report', 'speaker'} <= set(cards)
    capability = cards['counter'].capabilities[0]
    assert (capability.name, capability.description) == ('count', 'Count to a number.')
    assert json.loads(capability.schema)['required'] == ['up_to']
    mind.nodes[2].trigger_deactivate()
    until(lambda: {card.state for card in mind.directories[-1].agents} == {'inactive'})


def test_a_capability_is_an_action_with_feedback(mind: Mind, until: Until) -> None:
    heard: list[str] = []
    goal = mind.goal(mind.invoke, until, lambda m: heard.append(m.feedback.status), capability='count',
                     arguments='{"up_to": 3}')
    answered = goal.get_result_async()
    until(answered.done)
    assert (answered.result().result.result, answered.result().result.error_code) == ('3', 0)
    until(lambda: 'at 2' in heard)


def test_a_goal_goes_on_in_the_trace_of_its_caller(mind: Mind, until: Until) -> None:
    traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    spans: list[Span] = []
    record(spans.append)
    try:
        mind.result(mind.invoke, until, capability='count', arguments='{"up_to": 1}', traceparent=traceparent)
        mind.result(mind.infer, until, task='parse', prompt='go to the kitchen', local_only=True, deadline=2.0,
                    traceparent=traceparent)
    finally:
        record(None)
    ours = {span.name: span for span in spans if trace_id(span.traceparent) == trace_id(traceparent)}
    invoke, count_, infer = (ours[f'loom.{name}'] for name in ('action_broker.invoke', 'counter.count',
                                                              'model_router.infer'))
    assert invoke.parent == infer.parent == traceparent.split('-')[2]
    assert count_.parent == invoke.traceparent.split('-')[2] and 'loom.action_broker.relay' in ours


@pytest.mark.parametrize(('fields', 'code', 'text'), [
    ({'capability': 'cout'}, 101, "did you mean 'count'"),
    ({'capability': 'count', 'arguments': '{"up_to": "x"}'}, 102, 'is not of type'),
    ({'capability': 'count', 'arguments': '{'}, 102, 'arguments must be a JSON object'),
    ({'capability': 'count', 'arguments': '[1]'}, 102, 'is not of type'),
    ({'capability': 'count', 'arguments': '{"up_to": 9999}', 'timeout': 0.1}, 103, 'must end within 0.1 s'),
])
def test_bad_calls_are_answered_with_code_and_rule(mind: Mind, until: Until, fields: dict[str, Any], code: int,
                                                   text: str) -> None:
    result = mind.result(mind.invoke, until, **fields)
    assert (result.error_code, text in result.error_msg) == (code, True), result.error_msg


def test_cancelling_the_goal_cancels_the_call(mind: Mind, until: Until) -> None:
    heard: list[str] = []
    goal = mind.goal(mind.invoke, until, lambda m: heard.append(m.feedback.status), capability='count',
                     arguments='{"up_to": 9999}')
    until(lambda: 'at 0' in heard)
    cancelled, answered = goal.cancel_goal_async(), goal.get_result_async()
    until(lambda: cancelled.done() and answered.done())
    assert answered.result().result.error_code == 104
    until(lambda: mind.nodes[2]._host.wait_idle(0.1))


def test_a_call_id_runs_once(mind: Mind, until: Until) -> None:
    call_id = uuid.uuid4().hex
    finished: list[Any] = []
    mind.bus.subscribe('capability.started', finished.append)
    for _ in range(2):
        assert mind.result(mind.invoke, until, capability='count', arguments='{"up_to": 1}',
                           call_id=call_id).result == '1'
    mind.result(mind.invoke, until, capability='count', arguments='{"up_to": 2}')
    until(lambda: len(finished) == 2)


def test_models_are_asked_by_action_and_explained_by_service(mind: Mind, until: Until) -> None:
    result = mind.result(mind.infer, until, task='parse', prompt='go to the kitchen')
    assert json.loads(result.text) == {'capability': 'go_to', 'arguments': {'place': 'kitchen'}}
    assert mind.result(mind.infer, until, task='parse', prompt='dance').error_code == 204
    assert mind.result(mind.infer, until, task='think', prompt='hi', context='[').error_code == 204
    client: Any = mind.guest.create_client(Route, 'model_router/route')
    assert call(client, Route.Request(task='parse'), 5.0).backend == 'command_parser'
    refused = call(client, Route.Request(task='see'), 5.0)
    assert (refused.error_code, 'no backend' in refused.error_msg) == (201, True)


def test_a_wrong_setting_fails_the_start_with_its_reason(ros: Any) -> None:
    node = ros.add(AgentHost, parameter_overrides=[Parameter('agents', value=['navigater'])])
    node.trigger_configure()
    assert "did you mean 'navigator'" in node.stopped_because


def test_a_goal_pose_is_mail_for_the_navigator(mind: Mind, until: Until) -> None:
    mail: list[Any] = []
    mind.bus.receive('navigator', mail.append)
    publisher = mind.guest.create_publisher(PoseStamped, 'goal_pose', 10)
    goal = PoseStamped()
    goal.header.frame_id, goal.pose.position.x, goal.pose.orientation.w = 'map', 2.0, 1.0
    until(lambda: publisher.get_subscription_count() > 0)
    publisher.publish(goal)
    until(lambda: mail)
    assert mail[0].data == {'x': 2.0, 'y': 0.0, 'yaw': 0.0}
