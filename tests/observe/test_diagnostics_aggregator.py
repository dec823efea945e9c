"""The node: /diagnostics of its namespace comes out as a tree."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node

from loom.nodes.diagnostics_aggregator import DiagnosticsAggregator
from loom.ros.diagnostics import TOPIC


def test_the_tree_holds_this_robot_and_no_other(ros: Any, until: Any) -> None:
    aggregator = ros.add(DiagnosticsAggregator)
    other = ros.add(Node, 'someone')
    trees: list[dict[str, bytes]] = []
    other.create_subscription(
        DiagnosticArray, 'diagnostics_agg',
        lambda array: trees.append({status.name: status.level for status in array.status}), 10)
    publisher = other.create_publisher(DiagnosticArray, TOPIC, 10)
    aggregator.trigger_configure()
    aggregator.trigger_activate()
    statuses = [DiagnosticStatus(level=DiagnosticStatus.WARN, name=f'{ros.namespace}/camera: rate', message='slow'),
                DiagnosticStatus(level=DiagnosticStatus.ERROR, name='elsewhere/camera: rate')]

    def seen() -> bool:
        publisher.publish(DiagnosticArray(status=statuses))
        return bool(trees) and '/Loom/Senses/camera/rate' in trees[-1]

    until(seen, 'the tree did not show the camera')
    assert trees[-1]['/Loom/Senses/camera/rate'] == trees[-1]['/Loom/Senses'] == DiagnosticStatus.WARN
    assert not any('elsewhere' in name for name in trees[-1])
    assert aggregator.diagnose().__next__().values['dropped'] == '0'
