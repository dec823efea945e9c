"""diagnostics_aggregator: the tree of all diagnostics of this robot, for rqt_robot_monitor."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from pydantic import Field

from loom.core.config import NodeConfig
from loom.core.delivery import STANDARD
from loom.observe.diagnostics_aggregate import DiagnosticsAggregate, Status
from loom.ros.diagnostics import TOPIC
from loom.ros.node import OK, WARN, LoomNode, Part
from loom.ros.process import run


class DiagnosticsAggregatorConfig(NodeConfig):
    """When a silent node counts as stale."""

    rate_hz: float = Field(1.0, gt=0, le=10, description='Trees a second.')
    stale_after_s: float = Field(3.0, ge=1, le=60, description='A node silent for longer is shown as stale.')
    max_entries: int = Field(500, ge=10, le=5000, description='Parts of nodes that are kept.')


class DiagnosticsAggregator(LoomNode):
    """Hears /diagnostics of all robots and shows those of its own namespace on diagnostics_agg."""

    Config = DiagnosticsAggregatorConfig
    config: DiagnosticsAggregatorConfig

    def configure(self) -> None:
        """Declares the topics."""
        self._aggregate = DiagnosticsAggregate(self.get_namespace(), self.config.stale_after_s, self.config.max_entries)
        self._tree = self.publisher(DiagnosticArray, 'diagnostics_agg', STANDARD)
        self.subscribe(DiagnosticArray, TOPIC, self._on_array, replace(STANDARD, depth=100))
        self.every(1 / self.config.rate_hz, self._publish, steady=True)

    def diagnose(self) -> Iterable[Part]:
        """How many parts there are, and whether all found room."""
        lost = self._aggregate.dropped
        yield Part('entries', WARN if lost else OK, f'{lost} statuses found no room; raise max_entries' if lost else '',
                   {'entries': str(len(self._aggregate)), 'dropped': str(lost)})

    def _on_array(self, array: DiagnosticArray) -> None:
        now_ns = time.monotonic_ns()
        for status in array.status:
            values = tuple((pair.key, pair.value) for pair in status.values)
            heard = Status(status.level[0], status.name, status.message, status.hardware_id, values)
            self._aggregate.add(heard, now_ns)

    def _publish(self) -> None:
        array = DiagnosticArray()
        array.header.stamp = self.get_clock().now().to_msg()
        for status in self._aggregate.tree(time.monotonic_ns()):
            array.status.append(DiagnosticStatus(
                level=bytes([status.level]), name=status.name, message=status.message, hardware_id=status.hardware_id,
                values=[KeyValue(key=key, value=value) for key, value in status.values]))
        self._tree.publish(array)


def main() -> None:
    """Runs the node."""
    run(DiagnosticsAggregator)


if __name__ == '__main__':
    main()
