"""The ledger of a node on `loom/latency`: a message for each chain, once a second while there is news."""

from __future__ import annotations

from dataclasses import asdict, replace

from loom_msgs.msg import Latency
from rclpy.node import Node

from loom.core.clock import wall_ns
from loom.core.delivery import STATE
from loom.core.ledger import MAX_CHAINS, Ledger
from loom.ros.convert import ns_to_stamp
from loom.ros.node import LoomNode
from loom.ros.qos import subscription_profile

TOPIC = 'loom/latency'
LATENCY = replace(STATE, depth=MAX_CHAINS)
PERIOD_S = 1.0


def hear_latency(node: Node) -> dict[str, Latency]:
    """The newest message of each chain; fills, and stays up to date, while the node is spun."""
    chains: dict[str, Latency] = {}

    def learn(message: Latency) -> None:
        chains[message.chain] = message
    node.create_subscription(Latency, TOPIC, learn, subscription_profile(LATENCY))
    return chains


class LatencyTopic:
    """Tells while the node is active what its ledger knows."""

    def __init__(self, node: LoomNode, ledger: Ledger) -> None:
        self._node = node
        self._ledger = ledger
        self._known: dict[str, tuple[int, int]] = {}
        self._publisher = node.publisher(Latency, TOPIC, LATENCY)
        node.every(PERIOD_S, self._tell, steady=True)

    def _tell(self) -> None:
        # All chains together, so that whoever comes late finds the newest of each among the latched messages.
        report = self._ledger.report(wall_ns())
        known, self._known = self._known, {summary.chain: (summary.count, summary.late) for summary in report}
        if known == self._known:
            return
        stamp = ns_to_stamp(self._node.clock_source.now_ns())
        for summary in report:
            self._publisher.publish(Latency(stamp=stamp, **{
                name: list(value) if isinstance(value, tuple) else value for name, value in asdict(summary).items()}))
