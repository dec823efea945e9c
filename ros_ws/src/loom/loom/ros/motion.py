"""Motions between Loom's values and messages."""

from __future__ import annotations

from geometry_msgs.msg import Twist
from loom_msgs.msg import Hop as HopMessage
from loom_msgs.msg import MotionProposal, SafetyDecision

from loom.act.safety import Command, Decision
from loom.core.clock import NANOSECONDS, wall_ns
from loom.core.event import Event, Hop
from loom.ros.convert import ns_to_stamp, stamp_to_ns


def command_of(message: MotionProposal) -> Command:
    """What a proposal asks for; motions a wheeled base can't make count as not finite and are refused."""
    twist = message.twist
    others = (twist.linear.y, twist.linear.z, twist.angular.x, twist.angular.y)
    worth = message.time_to_live
    return Command(
        linear=twist.linear.x if not any(others) else float('nan'), angular=twist.angular.z, agent=message.agent,
        lane=message.lane, sequence=message.sequence, stamp_ns=stamp_to_ns(message.stamp),
        time_to_live_s=worth.sec + worth.nanosec / NANOSECONDS, origin_ns=stamp_to_ns(message.origin))


def path_of(message: MotionProposal | SafetyDecision) -> tuple[Hop, ...]:
    """The stages that led to a message."""
    return tuple(Hop(hop.stage, hop.transport_us, hop.queue_us, hop.compute_us) for hop in message.path)


def proposed(message: MotionProposal, arrived_ns: int) -> Event:
    """The proposal as the event that it is; it came at `arrived_ns` by the wall clock and is worked on now."""
    event = Event('motion.proposed', message.agent, stamp_to_ns(message.stamp), traceparent=message.traceparent,
                  sent_ns=message.sent_ns, origin_ns=message.origin_ns, path=path_of(message))
    return event.arrived(arrived_ns, wall_ns())


def hop_messages(path: tuple[Hop, ...]) -> list[HopMessage]:
    """Stages as they travel in proposals and decisions."""
    return [HopMessage(stage=hop.stage, transport_us=hop.transport_us, queue_us=hop.queue_us,
                       compute_us=hop.compute_us) for hop in path]


def twist_of(linear: float, angular: float) -> Twist:
    """A motion as a message."""
    twist = Twist()
    twist.linear.x, twist.angular.z = linear, angular
    return twist


def decision_message(decision: Decision, command: Command | None, now_ns: int) -> SafetyDecision:
    """The record of a decision about a proposal."""
    message = SafetyDecision(stamp=ns_to_stamp(now_ns), code=decision.code, reason=decision.reason,
                             commanded=twist_of(decision.linear, decision.angular))
    if command is not None:
        message.agent, message.origin = command.agent, ns_to_stamp(command.origin_ns)
        message.requested = twist_of(command.linear, command.angular)
    return message
