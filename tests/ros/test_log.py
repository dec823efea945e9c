"""Log lines name their trace, from nodes and from plain Python."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip('rclpy')

from rcl_interfaces.msg import Log
from rclpy.node import Node

from loom.core.event import Event
from loom.core.trace import continued, trace_id
from loom.ros import log
from loom.ros.node import LoomNode

Until = Callable[..., None]
PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'
LINK = f' [trace_id={trace_id(PARENT)}]'


class Teller(LoomNode):
    """Logs what it hears."""

    __module__ = 'nodes.teller'

    def configure(self) -> None:
        self.listen('test.thing', self._tell)

    def _tell(self, event: Event) -> None:
        self.get_logger().warning(f'heard {event.data}')
        for _ in range(3):
            self.get_logger().warning('often', throttle_duration_sec=60.0)
            self.get_logger().warning('often too', throttle_duration_sec=60.0)


@pytest.fixture
def python_logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger('loom')
    before, level = list(logger.handlers), logger.level
    yield logger
    logger.handlers[:] = before
    logger.setLevel(level)


def test_what_a_node_logs_while_it_handles_an_event_names_the_trace(ros: Any, until: Until) -> None:
    teller, node, lines = ros.add(Teller), ros.add(Node, 'reader'), []
    node.create_subscription(Log, '/rosout', lambda m: lines.append(m.msg) if m.name == teller.get_logger().name
                             else None, 100)
    teller.trigger_configure()
    teller.trigger_activate()
    until(lambda: node.count_publishers('/rosout') >= 1)
    with continued(PARENT):
        teller.bus.publish(Event.create('test.thing', 1, source='test', stamp_ns=0))
    until(lambda: len([line for line in lines if line.startswith(('heard', 'often'))]) == 3)
    assert [line for line in lines if line.startswith(('heard', 'often'))] == [
        'heard 1' + LINK, 'often' + LINK, 'often too' + LINK]
    assert all('trace_id' not in line for line in lines if not line.startswith(('heard', 'often')))


def test_plain_python_logs_where_the_nodes_do(python_logger: logging.Logger, capfd: pytest.CaptureFixture[str],
                                              until: Until) -> None:
    log.log_through_ros()
    log.log_through_ros()
    assert sum(isinstance(handler, log.RosHandler) for handler in python_logger.handlers) == 1
    with continued(PARENT):
        logging.getLogger('loom.agents.guard').info('saw %s', 'a ball')
    logging.getLogger('loom.agents.guard').debug('no one asked')
    logging.getLogger('loom.agents.guard').critical('outside')
    seen = ''
    def more() -> str:
        nonlocal seen
        captured = capfd.readouterr()
        seen += captured.out + captured.err
        return seen
    until(lambda: 'outside' in more())
    assert '[INFO]' in seen and f'[loom.agents.guard]: saw a ball{LINK}\n' in seen
    assert 'no one asked' not in seen and '[FATAL]' in seen and 'outside\n' in seen
