"""The ROS action that calls a capability, on the broker."""

from __future__ import annotations

import json
import uuid
from typing import Any

from loom_msgs.action import Invoke
from rclpy.task import Future

from loom.act.broker import ActionBroker
from loom.act.call import Feedback, Outcome, outcome
from loom.act.capability import BAD_ARGUMENTS, CANCELLED
from loom.core.event import Event
from loom.core.trace import handling
from loom.ros.node import LoomNode


class CapabilityAction:
    """Serves `action_broker/invoke`: a goal is a call; cancelling the goal cancels the call.

    Goals with one call id share one call: whoever lost an answer with the server before this one asks again.
    """

    def __init__(self, node: LoomNode, broker: ActionBroker) -> None:
        self._node = node
        self._broker = broker
        self._goals: dict[bytes, tuple[str, Any]] = {}
        node.serve_action(Invoke, 'action_broker/invoke', self._execute)

    def tick(self) -> None:
        """Cancels the calls whose goals were asked to."""
        for call_id, goal in list(self._goals.values()):
            if goal.is_cancel_requested:
                self._broker.cancel(call_id)

    async def _execute(self, goal: Any) -> Invoke.Result:
        request, ended = goal.request, Future(executor=self._node.executor)
        call_id = request.call_id or uuid.uuid4().hex

        def feedback(data: Feedback) -> None:
            if goal.is_active:
                # One value of a stream travels as its JSON.
                status = json.dumps(data['value']) if 'value' in data else str(data.get('status'))
                goal.publish_feedback(Invoke.Feedback(status=status, progress=float(data.get('progress', -1.0))))
        self._goals[bytes(goal.goal_id.uuid)] = (call_id, goal)
        try:
            arguments = json.loads(request.arguments or '{}')
        except ValueError as error:
            ended.set_result(outcome(None, BAD_ARGUMENTS, f'arguments must be a JSON object: {error}'))
        else:
            with handling('loom.action_broker.invoke', request.traceparent, about=request.capability):
                asked = Event.create('capability.call', source='invoke', stamp_ns=self._node.clock_source.now_ns())
                self._broker.invoke(request.capability, arguments, call_id, request.timeout, ended.set_result,
                                    feedback, 'invoke', asked)
        result = await ended
        self._goals.pop(bytes(goal.goal_id.uuid), None)
        return _end(goal, result)


def _end(goal: Any, ended: Outcome) -> Invoke.Result:
    if ended['error_code'] == CANCELLED and goal.is_cancel_requested:
        goal.canceled()
    elif ended['error_code']:
        goal.abort()
    else:
        goal.succeed()
    return Invoke.Result(result=json.dumps(ended['result']), error_code=ended['error_code'],
                         error_msg=ended['error_msg'])
