"""The safety kernel on topics: proposals and scans in, `cmd_vel` and decisions out."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from geometry_msgs.msg import Twist
from loom_msgs.msg import MotionProposal, SafetyDecision
from sensor_msgs.msg import LaserScan
from std_msgs.msg import Bool
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage

from loom.act.kernel import SafetyKernel
from loom.act.safety import FOREIGN_PUBLISHER, REFUSED, Command, Decision
from loom.core.clock import wall_ns
from loom.core.delivery import COMMAND, SENSOR, STANDARD, STATE
from loom.core.errors import DeviceError
from loom.core.event import Event
from loom.core.ledger import Ledger
from loom.core.trace import cause, handling, trace_headers
from loom.ros.frames import Frames
from loom.ros.latency import LatencyTopic
from loom.ros.motion import command_of, decision_message, hop_messages, proposed, twist_of
from loom.ros.node import ERROR, OK, WARN, LoomNode, Part
from loom.ros.range_scan import scan_of

GRAPH_PERIOD_S = 0.25


class MotionGate:
    """Decides at once on each proposal, and at `rate_hz` by the monotonic clock whatever comes or does not."""

    def __init__(self, node: LoomNode, kernel: SafetyKernel, rate_hz: float) -> None:
        self._node = node
        self._kernel = kernel
        self._frames = Frames()
        self._fault = ''
        self._looked_s = -math.inf
        self._ledger = Ledger()
        LatencyTopic(node, self._ledger)
        self._cmd_vel = node.publisher(Twist, 'cmd_vel', COMMAND)
        self._decisions = node.publisher(SafetyDecision, 'loom/motion/decision', STANDARD)
        node.subscribe(MotionProposal, 'loom/motion/proposed', self._on_proposal, COMMAND)
        node.subscribe(LaserScan, 'scan', self._on_scan, SENSOR)
        node.subscribe(TFMessage, 'tf_static', self._frames.take, replace(STATE, depth=32))
        node.subscribe(Bool, 'estop', self._on_estop, STATE)
        node.serve(Trigger, 'safety/estop', self._serve_estop)
        node.serve(Trigger, 'safety/reset_estop', self._serve_reset)
        node.every(1 / rate_hz, self._decide, steady=True)

    def halt(self) -> None:
        """Stops the base, whatever is proposed."""
        self._cmd_vel.publish(Twist())

    def diagnose(self) -> Iterable[Part]:
        """The decision in force, and what was accepted and refused."""
        decision, counts = self._kernel.decision, self._kernel.counts
        level = ERROR if decision.code == FOREIGN_PUBLISHER else WARN if decision.code else OK
        values = {'code': str(decision.code), 'estop': self._kernel.estop, 'scan': self._fault or 'ok'}
        yield Part('motion', level, decision.reason or 'as proposed',
                   {**values, **{name: str(count) for name, count in counts.items()}})

    def _on_proposal(self, message: MotionProposal) -> None:
        event = proposed(message, wall_ns())
        with handling('loom.safety.decide', event.traceparent, about=message.agent, cause=event):
            self._offer(message)

    def _offer(self, message: MotionProposal) -> None:
        command, now_ns = command_of(message), self._node.clock_source.now_ns()
        reason = self._kernel.offer(command, now_ns, time.monotonic())
        if reason:
            last = self._kernel.decision
            refused = Decision(last.linear, last.angular, REFUSED, reason)
            self._decisions.publish(decision_message(refused, command, now_ns))
            self._node.get_logger().warning(f'refused {message.agent!r}: {reason}', throttle_duration_sec=5.0)
        self._decide(command)

    def _on_scan(self, message: LaserScan) -> None:
        try:
            scan = scan_of(message, self._frames)
        except DeviceError as error:
            self._fault = str(error)
            return
        self._fault = ''
        self._kernel.see(scan.points, scan.stamp_ns, self._node.clock_source.now_ns(), time.monotonic())

    def _decide(self, offered: Command | None = None) -> None:
        now_ns, at_s = self._node.clock_source.now_ns(), time.monotonic()
        # One that was just started must not drive before it knows whether another does.
        if at_s - self._looked_s >= GRAPH_PERIOD_S:
            self._looked_s = at_s
            self._look_for_others()
        decision, command = self._kernel.step(now_ns, at_s)
        with handling('loom.cmd_vel.publish', *trace_headers()) if offered else nullcontext():
            self._cmd_vel.publish(twist_of(decision.linear, decision.angular))
        message = decision_message(decision, command, now_ns)
        message.sent_ns = wall_ns()
        if offered is not None and offered is command:
            self._end_chain(message)
        self._decisions.publish(message)

    def _end_chain(self, message: SafetyDecision) -> None:
        proposal: Event = cause()
        path = (*proposal.path, proposal.hop('safety', message.sent_ns))
        message.traceparent, message.origin_ns = proposal.traceparent, proposal.origin_ns
        if proposal.origin_ns:
            message.path = hop_messages(path)
            self._ledger.ended(proposal.origin_ns, path, message.sent_ns)

    def _look_for_others(self) -> None:
        others = max(self._node.count_publishers('cmd_vel') - 1, 0)
        if others and not self._kernel.foreign_publishers:
            self._node.get_logger().error(f'{others} other publishers of cmd_vel: the base stops until they end')
        self._kernel.foreign_publishers = others

    def _on_estop(self, message: Bool) -> None:
        if message.data:
            self._kernel.stop('topic estop')
            self._decide()

    def _serve_estop(self, request: Any, response: Any) -> Any:
        self._kernel.stop('service safety/estop')
        self._decide()
        response.success, response.message = True, 'stopped; release with safety/reset_estop'
        return response

    def _serve_reset(self, request: Any, response: Any) -> Any:
        self._kernel.reset()
        response.success, response.message = True, 'released; new proposals move the robot again'
        return response
